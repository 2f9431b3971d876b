package containers

import (
	"context"

	"github.com/moby/moby/client"
)

// Found is what the container stack would find on this machine.
type Found struct {
	Version string // of the Docker Engine
	Images  []FoundImage
}

// FoundImage is an image that would be used, and whether it is here. One that is
// not would be pulled.
type FoundImage struct {
	Role, Name string
	There      bool
}

// Examine reaches the Docker Engine and looks for the images that a start would
// use. It pulls and starts nothing; the error says what to do.
func Examine(ctx context.Context, want Images) (Found, error) {
	engine, err := dial(ctx)
	if err != nil {
		return Found{}, err
	}
	defer engine.Close()
	v, err := engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Found{}, err
	}
	found := Found{Version: v.Version}
	roles := []FoundImage{
		{Role: "postgres", Name: image(ctx, engine, want.Postgres, DefaultPostgres, standInPostgres)},
		{Role: "redis", Name: image(ctx, engine, want.Redis, DefaultRedis, standInRedis)},
	}
	if want.API != "" {
		roles = append(roles, FoundImage{Role: "api", Name: want.API})
	}
	for _, r := range roles {
		_, err := engine.ImageInspect(ctx, r.Name)
		r.There = err == nil
		found.Images = append(found.Images, r)
	}
	return found, nil
}
