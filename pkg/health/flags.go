package health

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// Flags are a Prometheus' flags as they are in force, without dashes, from /api/v1/status/flags (Prometheus' HTTP API).
func Flags(ctx context.Context, client *http.Client, url string) (map[string]string, error) {
	var answer struct {
		Data map[string]string `json:"data"`
	}
	err := get(ctx, client, url, func(body io.Reader) error {
		return json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&answer)
	})
	return answer.Data, err
}
