package strict

import (
	"fmt"

	"github.com/spf13/pflag"
)

// Once makes it a mistake to give a flag that takes one value a second one: the first
// would be lost without a word. Lists may stand as often as they like, and so may a
// switch that says the same.
func Once(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list {
			f.Value = &once{Value: f.Value, toggles: f.NoOptDefVal != ""}
		}
	})
}

// once is a flag's value that is set at most once.
type once struct {
	pflag.Value
	toggles, given bool
}

func (o *once) Set(text string) error {
	before := o.String()
	if err := o.Value.Set(text); err != nil {
		return err
	}
	if o.given && !(o.toggles && o.String() == before) {
		return fmt.Errorf("it stands twice, and %q was given before: it takes one value", before)
	}
	o.given = true
	return nil
}
