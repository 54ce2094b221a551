package main

import (
	"context"

	"github.com/opsctl/opsctl/internal/testpeers"
)

func demo(_ context.Context, _ *world, _ testpeers.Recipe, _ string) error { return nil }
