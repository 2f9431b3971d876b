package clinic_test

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vitals/server/clinic"
)

func ExampleRegister() {
	api := humago.New(http.NewServeMux(), huma.DefaultConfig("Clinic API", "1"))
	clinic.Register(api, clinic.Deps{}) // a store.DB goes here
	op := api.OpenAPI().Paths["/api/v1/medications"].Post
	fmt.Println(op.Summary, op.Metadata["roles"])
	// Output: Add a medication [patient clinician]
}
