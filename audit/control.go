package audit

func configuration() []Probe    { return nil }
func healthControl() []Probe    { return nil }
func requestIDControl() []Probe { return nil }
func corsControl() []Probe      { return nil }
func surfaceControl() []Probe   { return nil }
func lockoutControl() []Probe   { return nil }
func database() []Probe         { return nil }
func sentry() []Probe           { return nil }
