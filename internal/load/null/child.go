package null

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os/exec"
)

// Start starts the command of a Child and waits until it listens. end ends it.
func Start(cmd *exec.Cmd) (base *url.URL, end func(), err error) {
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, fmt.Errorf("start the null server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the null server: %w", err)
	}
	end = func() { _ = in.Close(); _ = cmd.Wait() } // its exit says nothing
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start the null server: it said nothing: %w", err)
	}
	return &url.URL{Scheme: "http", Host: line[:len(line)-1]}, end, nil
}

// Child is a null server as a process of its own, so that its CPU is not counted as
// the generator's: it says its address and answers until in is closed.
func Child(in io.Reader, out io.Writer) error {
	server, err := Listen()
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintln(out, server.Addr())
	_, err = io.Copy(io.Discard, in) // until the parent closes it, or is no more
	return err
}
