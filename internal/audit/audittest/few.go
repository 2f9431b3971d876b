package audittest

import (
	"net"
	"sync"
)

// few is a listener with one bound on connections for all the world.
type few struct {
	net.Listener
	room chan struct{}
}

func (l *few) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.room <- struct{}{}
		c = &taken{Conn: c, free: sync.OnceFunc(func() { <-l.room })}
	}
	return c, err
}

// taken is a connection that makes room when it is closed.
type taken struct {
	net.Conn
	free func()
}

func (c *taken) Close() error {
	c.free()
	return c.Conn.Close()
}
