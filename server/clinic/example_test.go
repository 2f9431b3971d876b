package clinic_test

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vitals/server/clinic"
	"vitals/server/web"
)

func ExampleRegister() {
	api := web.NewAPI("Clinic API", "1", humago.NewAdapter(http.NewServeMux(), ""), nil)
	clinic.Register(api, clinic.Deps{}) // a store.DB goes here
	op := api.OpenAPI().Paths["/api/v1/medications"].Post
	fmt.Println(op.Summary, op.Metadata["roles"])
	// Output: Add a medication [patient clinician]
}
