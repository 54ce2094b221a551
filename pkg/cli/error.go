package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Code is an exit code. Codes are a contract with scripts: they are added,
// never reused. ExitCodes explains each.
type Code int

// The exit codes, as `opsctl help exit-codes` prints them.
const (
	CodeOK          Code = 0
	CodeFailed      Code = 1
	CodeUsage       Code = 2
	CodeFound       Code = 3
	CodePartial     Code = 4
	CodeDenied      Code = 5
	CodeDeclined    Code = 6
	CodeInterrupted Code = 130
	CodeTerminated  Code = 143
)

// CodeMeaning is one line of the table of exit codes.
type CodeMeaning struct {
	Code    Code   `json:"code"`
	Meaning string `json:"meaning"`
	// Output says whether stdout carries a result with this code.
	Output bool `json:"output"`
}

// ExitCodes returns what each exit code means, in rising order.
func ExitCodes() []CodeMeaning {
	return []CodeMeaning{
		{CodeOK, "done, or nothing to do", true},
		{CodeFailed, "tried and failed", false},
		{CodeUsage, "wrong command line or configuration", false},
		{CodeFound, "the check ran and found problems", true},
		{CodePartial, "some targets failed; the result covers the others", true},
		{CodeDenied, "authentication or permission", false},
		{CodeDeclined, "declined, or a prompt was needed and none was possible", false},
		{CodeInterrupted, "stopped by SIGINT (Ctrl-C)", false},
		{CodeTerminated, "stopped by SIGTERM", false},
	}
}

// Error is an error with what a caller of the program needs besides its text:
// the exit code, a stable id for scripts, and a next step for people.
//
// A command that has rendered its result and must still exit 3 or 4 returns an
// Error with CodeFound or CodePartial. With CodePartial, Err is best an
// errors.Join: each line is printed as a message of its own. With CodeFound and
// a nil Err nothing is printed: the result says it all.
type Error struct {
	Code Code
	// ID is lower case with dots, such as "authlog.denied": for scripts, so it
	// does not change when the message does.
	ID   string
	Err  error
	Hint string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.ID
	}
	return e.Err.Error()
}

// Unwrap returns the error below.
func (e *Error) Unwrap() error { return e.Err }

// Usagef returns an error for a wrong command line: exit code 2, id "usage".
// It wraps like fmt.Errorf.
func Usagef(format string, a ...any) *Error {
	return &Error{Code: CodeUsage, ID: "usage", Err: fmt.Errorf(format, a...)}
}

// Found returns the error of a check that has printed its findings: exit
// code 3 and no message.
func Found() *Error {
	return &Error{Code: CodeFound, ID: "found"}
}

// Partial returns the error of a command whose printed result lacks the
// targets that errs names: exit code 4, a line each.
func Partial(errs error) *Error {
	return &Error{Code: CodePartial, ID: "partial", Err: errs}
}

// SignalError is the cause of a context that a signal cancelled.
type SignalError struct {
	Signal os.Signal
}

// Error implements error.
func (e *SignalError) Error() string {
	return "stopped by " + e.Signal.String()
}

// Code is 130 for SIGINT and 143 for SIGTERM.
func (e *SignalError) Code() Code {
	if e.Signal == syscall.SIGTERM {
		return CodeTerminated
	}
	return CodeInterrupted
}

// classify gives every error a code and an id. It returns nil for errors that
// end the program silently with code 0: a closed pipe on stdout is how `head`
// says that it has seen enough.
func classify(ctx context.Context, err error) *Error {
	var typed *Error
	isTyped := errors.As(err, &typed)
	var interrupted *SignalError
	switch {
	case err == nil:
		return nil
	case isTyped && typed.Code == CodeFound:
		return typed
	case ctx.Err() != nil && errors.As(context.Cause(ctx), &interrupted):
		return &Error{Code: interrupted.Code(), ID: "interrupted", Err: interrupted}
	case isTyped:
		return typed
	case errors.Is(err, errStdout) && errors.Is(err, syscall.EPIPE):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &Error{Code: CodeDenied, ID: "denied", Err: err}
	default:
		return &Error{Code: CodeFailed, ID: "failed", Err: err}
	}
}
