package load

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// unanswered says why no whole answer came, as the author of a step would: how long
// was waited, how much had come. What the system says of it stands where that is more.
func unanswered(c *wire.Call) string {
	switch c.Class {
	case measure.Cancelled:
		return "cut off by the end of the run"
	case measure.TimeoutConnect:
		return fmt.Sprintf("no connection within %s", c.Timeout)
	case measure.TimeoutWrite:
		return fmt.Sprintf("the request was not taken within %s", c.Timeout)
	case measure.TimeoutAnswer:
		return fmt.Sprintf("no answer within %s", c.Timeout)
	case measure.TimeoutBody:
		return fmt.Sprintf("the answer did not end within %s: %s", c.Timeout, arrived(c))
	case measure.Body:
		if errors.Is(c.Err, io.ErrUnexpectedEOF) {
			return "the connection was closed before the end of the answer: " + arrived(c)
		}
		if errors.Is(c.Err, syscall.ECONNRESET) {
			return "the connection was reset before the end of the answer: " + arrived(c)
		}
	case measure.Protocol:
		if errors.Is(c.Err, io.ErrUnexpectedEOF) {
			return "the head of the answer is cut short, or no HTTP/1.1"
		}
	case measure.ResetNew, measure.ResetReused:
		if errors.Is(c.Err, io.EOF) {
			return "the server closed the connection without an answer"
		}
	}
	return wire.Plain(c.Err)
}

// arrived is how much of the body came, and of how much where the server said so.
func arrived(c *wire.Call) string {
	if length, ok := c.Header("Content-Length"); ok {
		return fmt.Sprintf("%d of %s bytes came", c.Bytes, length)
	}
	return fmt.Sprintf("%d bytes came", c.Bytes)
}
