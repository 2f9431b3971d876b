package strict

import (
	"fmt"

	"github.com/spf13/pflag"
)

// Once makes it a mistake to give a flag that takes one value a second one: the first
// would be lost without a word. Lists and switches may stand as often as they like.
func Once(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list && f.NoOptDefVal == "" {
			f.Value = &once{Value: f.Value}
		}
	})
}

// once is a flag's value that is set at most once.
type once struct {
	pflag.Value
	given bool
}

func (o *once) Set(text string) error {
	if o.given {
		return fmt.Errorf("it stands twice, and %q was given before: it takes one value", o.String())
	}
	o.given = true
	return o.Value.Set(text)
}
