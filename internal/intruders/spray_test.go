package intruders

import (
	"fmt"
	"testing"
)

// Each address comes to try every account, however many there are of either: one that
// meets few of them is refused by no limit of address and account together.
func TestEachAddressMeetsEveryAccount(t *testing.T) {
	for addresses := 1; addresses <= 8; addresses++ {
		for accounts := 1; accounts <= 8; accounts++ {
			for many := 1; many <= 4; many++ {
				met := map[string]bool{}
				for n := range addresses * accounts * many {
					if at, owner, real := drawn(n, addresses, accounts, many); real {
						met[fmt.Sprint(at, " ", owner)] = true
					}
				}
				if len(met) != addresses*accounts {
					t.Errorf("%d addresses, %d accounts, one guess in %d at one of them: got %d pairs", addresses, accounts, many, len(met))
				}
			}
		}
	}
}
