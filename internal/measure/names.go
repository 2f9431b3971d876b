package measure

import "fmt"

// The names are part of the document's form: error tables, exemplars and
// reports show them, so they are only ever added to.
var (
	outcomeNames = [outcomes]string{Failed: "failed", Served: "served", Refused: "refused"}
	classNames   = [classes]string{
		None:           "none",
		BadStatus:      "status",
		BadCheck:       "check",
		BadCapture:     "capture",
		DNS:            "dns",
		Connect:        "connect",
		TLS:            "tls",
		TimeoutConnect: "timeout: connect",
		TimeoutWrite:   "timeout: write",
		TimeoutAnswer:  "timeout: answer",
		TimeoutBody:    "timeout: body",
		ResetNew:       "reset: fresh connection",
		ResetReused:    "reset: kept-alive connection",
		Protocol:       "protocol",
		Body:           "body cut short",
		TooLong:        "longer than was looked at",
		Encoding:       "content encoding",
		NoPorts:        "generator: no local ports",
		FDLimit:        "generator: no file descriptors",
		Cancelled:      "cancelled",
		Generator:      "generator",
	}
)

// String is the outcome's name, as reports print it.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", o)
}

// String is the class's name, as documents and reports carry it.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", c)
}

// Ours says that the trouble was the generator's own, or the run's end, and so
// never counts against the server.
func (c Class) Ours() bool { return c >= NoPorts }

// Lost says that the server was there, and its answer did not come whole.
func (c Class) Lost() bool { return c == ResetNew || c == ResetReused || c == Body }

// Unreached says that nobody was found there: no request was sent.
func (c Class) Unreached() bool {
	return c == DNS || c == Connect || c == TLS || c == TimeoutConnect
}
