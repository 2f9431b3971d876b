package containers

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// dockerfile of the API: one static binary, nobody's user, nothing else. The
// project's own Dockerfile says the same for people who build it by hand.
const dockerfile = `FROM scratch
COPY vitals /vitals
USER 65532:65532
EXPOSE 8000 9090
ENTRYPOINT ["/vitals"]
CMD ["serve"]
`

// apiContext packs the binary as a build context, tagged by its content, so
// that the engine builds each version once.
func apiContext(binary string) (io.ReadSeeker, string, error) {
	if err := static(binary); err != nil {
		return nil, "", err
	}
	b, err := os.ReadFile(binary)
	if err != nil {
		return nil, "", fmt.Errorf("read the API's binary: %w", err)
	}
	sum := sha256.Sum256(append([]byte(dockerfile), b...))
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range []struct {
		name string
		mode int64
		body []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"vitals", 0o755, b}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body))}); err != nil {
			return nil, "", fmt.Errorf("pack the API's image: %w", err)
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, "", fmt.Errorf("pack the API's image: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("pack the API's image: %w", err)
	}
	return bytes.NewReader(buf.Bytes()), hex.EncodeToString(sum[:6]), nil
}

// static refuses a binary that an image made from scratch could not run.
func static(binary string) error {
	f, err := elf.Open(binary)
	if err != nil {
		return fmt.Errorf("%s is no Linux binary (%w): build one with GOOS=linux CGO_ENABLED=0 go build ./cmd/vitals, or name an image with --api-image", binary, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically and cannot run FROM scratch: build it with CGO_ENABLED=0 go build ./cmd/vitals, or name an image with --api-image", binary)
		}
	}
	return nil
}
