package health

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Replay is a check that is never passed: it tells how far a Prometheus has got that reads its write-ahead log, from
// /api/v1/status/walreplay (Prometheus' HTTP API). Its error is nil where nobody tells, and wraps ErrAdvancing and ErrNotYet
// when the log was read further than at the last look.
func Replay(client *http.Client, url string) Check {
	last := -1
	return func(ctx context.Context) error {
		var answer struct {
			Data struct {
				Max     int `json:"max"`
				Current int `json:"current"`
			} `json:"data"`
		}
		err := get(ctx, client, url, func(body io.Reader) error {
			return json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&answer)
		})
		if err != nil || answer.Data.Current <= last {
			return nil //nolint:nilerr // who does not answer says nothing of how far it is
		}
		last = answer.Data.Current
		return fmt.Errorf("%w, %w: segment %d of %d of the write-ahead log is read", ErrNotYet, ErrAdvancing, last, answer.Data.Max)
	}
}
