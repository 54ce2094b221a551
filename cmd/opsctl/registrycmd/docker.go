package registrycmd

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/deploy"
)

// withEngine connects to the Docker engine for one call.
func withEngine(ctx context.Context, env *cli.Env, use func(context.Context, *engine.Engine) error) error {
	e, err := engine.Connect(ctx, env.Getenv)
	if err != nil {
		return explainEngine(err)
	}
	return explainEngine(errors.Join(use(ctx, e), e.Close()))
}

// explainEngine gives the errors of an engine, and of what runs in it, their codes and the next step.
func explainEngine(err error) error {
	if _, typed := errors.AsType[*cli.Error](err); err == nil || typed {
		return err
	}
	typed := &cli.Error{Code: cli.CodeFailed, Err: err}
	switch {
	case errors.Is(err, deploy.ErrExposed):
		typed.Code, typed.ID, typed.Hint = cli.CodeUsage, "usage", "--htpasswd, --tls-cert and --tls-key protect it; --insecure does without"
	case errors.Is(err, deploy.ErrOptions):
		typed.Code, typed.ID = cli.CodeUsage, "usage"
	case errors.Is(err, engine.ErrContext):
		typed.Code, typed.ID, typed.Hint = cli.CodeUsage, "engine.context", "docker context ls lists them; DOCKER_HOST names an engine without one"
	case errors.Is(err, engine.ErrUnreachable) && errors.Is(err, fs.ErrPermission):
		typed.Code, typed.ID, typed.Hint = cli.CodeDenied, "engine.denied", "run it as root, or as a member of group docker"
	case errors.Is(err, engine.ErrUnreachable):
		typed.ID, typed.Hint = "engine.unreachable", "start Docker, or say where it is: DOCKER_HOST, or docker context use"
	case errors.Is(err, engine.ErrPull):
		typed.ID, typed.Hint = "engine.pull", "where no registry can be reached: docker save IMAGE on another machine, docker load -i FILE here"
	case errors.Is(err, deploy.ErrForeign):
		typed.Code, typed.ID, typed.Hint = cli.CodeDeclined, "registry.foreign", "nothing was changed; --name takes another name"
	case errors.Is(err, deploy.ErrNotUp):
		typed.ID, typed.Hint = "registry.down", "everything was put back as it was"
	default:
		return err
	}
	return typed
}
