package optionfile

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Layout of the login file (client/mysql_config_editor.cc): four unused bytes, a key of 20, then for each line its length, four
// bytes, and the line encrypted by AES-128 in ECB mode with PKCS #7 padding.
const (
	loginUnused, loginKey = 4, 20
	maxLoginFile          = 1 << 20
)

// ErrLoginFile is a login file that cannot be decrypted.
var ErrLoginFile = errors.New("no login file of mysql_config_editor")

// LoginFile reads MySQL's encrypted login file. It is passed over with a warning when others than its owner may read or write
// it, as the programs do.
func (r *Reader) LoginFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode()&0o177 != 0 {
		r.warn("%s should be readable by its owner alone: it is ignored", path)
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxLoginFile))
	if err != nil {
		return err
	}
	text, err := decrypt(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// It has no comments: "#" is part of a value.
	return r.read(bytes.NewReader(text), path, maxDepth, func(line string) int { return len(line) })
}

// decrypt gives the text of a login file.
func decrypt(data []byte) ([]byte, error) {
	if len(data) < loginUnused+loginKey {
		return nil, fmt.Errorf("%w: %d bytes", ErrLoginFile, len(data))
	}
	var key [aes.BlockSize]byte
	for i, c := range data[loginUnused : loginUnused+loginKey] {
		key[i%len(key)] ^= c // my_aes.h: my_aes_create_key folds it
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	var text []byte
	for rest := data[loginUnused+loginKey:]; len(rest) > 0; {
		if len(rest) < 4 {
			return nil, fmt.Errorf("%w: it ends within a length", ErrLoginFile)
		}
		n := int(binary.LittleEndian.Uint32(rest))
		rest = rest[4:]
		if n <= 0 || n > len(rest) || n%aes.BlockSize != 0 {
			return nil, fmt.Errorf("%w: a line of %d bytes", ErrLoginFile, n)
		}
		line := make([]byte, n)
		for i := 0; i < n; i += aes.BlockSize {
			block.Decrypt(line[i:], rest[i:])
		}
		pad := int(line[n-1])
		if pad == 0 || pad > aes.BlockSize {
			return nil, fmt.Errorf("%w: its padding is wrong", ErrLoginFile)
		}
		text = append(text, line[:n-pad]...)
		rest = rest[n:]
	}
	return text, nil
}
