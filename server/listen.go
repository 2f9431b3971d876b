package server

import (
	"log/slog"
	"net/http"
)

// httpServer is layer 1 of the chain: the timeouts that cut slow
// writers of headers and bodies, and HTTP/1.1 alone, since TLS ends at the proxy.
func (s *Server) httpServer(l *connections) *http.Server {
	c := s.cfg.HTTP
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      s,
		ReadHeaderTimeout:            c.ReadHeaderTimeout,
		ReadTimeout:                  c.ReadTimeout,
		WriteTimeout:                 s.cfg.Workers.Timeout,
		IdleTimeout:                  c.IdleTimeout,
		MaxHeaderBytes:               c.MaxHeaderBytes,
		Protocols:                    protocols,
		ConnState:                    l.state,
		ConnContext:                  l.context,
		DisableGeneralOptionsHandler: true, // OPTIONS * passes the chain, as any other request
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}
