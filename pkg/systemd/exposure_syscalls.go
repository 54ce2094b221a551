package systemd

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
)

//go:embed exposure_syscalls.tsv
var syscallTable string

// callFilter is SystemCallFilter=: of what is allowed or, without allow, of what is denied, those calls that count.
type callFilter struct {
	set, allow bool
	listed     map[string]bool
	groups     map[string][]string // group or call to the calls that count
}

// setCalls takes a line of SystemCallFilter=.
func (c *confinement) setCalls(value string) {
	f := &c.calls
	if value == "" {
		f.set, f.allow, f.listed = false, false, nil
		return
	}
	if f.groups == nil {
		f.groups = callGroups(c.opts.Version)
	}
	value, invert := strings.CutPrefix(value, "~")
	if !f.set {
		// None of @default, which is in every list of what is allowed, counts.
		f.set, f.allow, f.listed = true, !invert, map[string]bool{}
	}
	words, _ := plainWords(value, false)
	for _, word := range words {
		name, number, given := strings.Cut(word, ":")
		if given && (!validErrno(number) || !invert && c.opts.Version >= errorsSince) {
			continue
		}
		for _, call := range f.groups[name] {
			if invert == f.allow || given && c.opts.Version < errorsSince {
				delete(f.listed, call)
			} else {
				f.listed[call] = true
			}
		}
	}
}

// callGroups maps groups to their calls, and each call to itself.
func callGroups(version int) map[string][]string {
	groups := map[string][]string{}
	for line := range strings.Lines(syscallTable) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 || tableVersion(fields[1]) > version || fields[2] != "-" && tableVersion(fields[2]) < version {
			continue
		}
		groups[fields[0]] = fields[:1]
		for group := range strings.SplitSeq(fields[3], ",") {
			groups[group] = append(groups[group], fields[0])
		}
	}
	return groups
}

// errorNames are those of errno(3) on Linux.
const errorNames = `
	E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EADV EAFNOSUPPORT EAGAIN EALREADY EBADE EBADF EBADFD EBADMSG EBADR EBADRQC EBADSLT EBFONT EBUSY
	ECANCELED ECHILD ECHRNG ECOMM ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDEADLOCK EDESTADDRREQ EDOM EDOTDOT EDQUOT EEXIST EFAULT EFBIG
	EHOSTDOWN EHOSTUNREACH EHWPOISON EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR EISNAM EKEYEXPIRED EKEYREJECTED EKEYREVOKED EL2HLT
	EL2NSYNC EL3HLT EL3RST ELIBACC ELIBBAD ELIBEXEC ELIBMAX ELIBSCN ELNRNG ELOOP EMEDIUMTYPE EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG
	ENAVAIL ENETDOWN ENETRESET ENETUNREACH ENFILE ENOANO ENOBUFS ENOCSI ENODATA ENODEV ENOENT ENOEXEC ENOKEY ENOLCK ENOLINK ENOMEDIUM ENOMEM
	ENOMSG ENONET ENOPKG ENOPROTOOPT ENOSPC ENOSR ENOSTR ENOSYS ENOTBLK ENOTCONN ENOTDIR ENOTEMPTY ENOTNAM ENOTRECOVERABLE ENOTSOCK ENOTSUP
	ENOTTY ENOTUNIQ ENXIO EOPNOTSUPP EOVERFLOW EOWNERDEAD EPERM EPFNOSUPPORT EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EREMCHG EREMOTE
	EREMOTEIO ERESTART ERFKILL EROFS ESHUTDOWN ESOCKTNOSUPPORT ESPIPE ESRCH ESRMNT ESTALE ESTRPIPE ETIME ETIMEDOUT ETOOMANYREFS ETXTBSY EUCLEAN
	EUNATCH EUSERS EWOULDBLOCK EXDEV EXFULL
`

// validErrno says whether systemd takes a word for an error number: a name, a number, or kill.
func validErrno(word string) bool {
	n, err := strconv.Atoi(word)
	return word == "kill" || err == nil && n >= 0 && n <= 4095 || err != nil && slices.Contains(strings.Fields(errorNames), strings.ToUpper(word))
}

func (c *confinement) assessCalls() []assessment {
	var all []assessment
	for _, each := range []struct {
		weight int
		group  string
	}{
		{1000, "@swap"},
		{250, "@obsolete"},
		{1000, "@clock"},
		{250, "@cpu-emulation"},
		{1000, "@debug"},
		{1000, "@mount"},
		{1000, "@module"},
		{1000, "@raw-io"},
		{1000, "@reboot"},
		{700, "@privileged"},
		{700, "@resources"},
	} {
		all = append(all, outOfTen(each.weight, c.calls.badness(each.group)))
	}
	return all
}

// badness says how much of a group a filter lets through: one call is as bad as all.
func (f *callFilter) badness(group string) int {
	open := slices.ContainsFunc(f.groups[group], func(call string) bool { return f.listed[call] == f.allow })
	switch {
	case f.allow && open:
		return 9
	case !f.set || open:
		return 10
	}
	return 0
}
