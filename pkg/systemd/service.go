package systemd

import (
	"errors"
	"fmt"
	"time"
)

// ErrVersion says that units for that version of systemd cannot be written.
var ErrVersion = errors.New("systemd is too old")

// ErrSecret says that a unit would show a secret: any user reads a unit's environment and command line.
var ErrSecret = errors.New("would show a secret to every user of the host")

// Service is a service unit to be written. The zero value of a field leaves its directive out, but for those that say
// otherwise. Values are literal: nothing in them is expanded.
type Service struct {
	Name          string // of the unit, without .service
	Description   string
	Documentation []string // URLs: https://..., man:..., file:...
	After, Wants  []string // unit names

	// Exec is the command: an absolute path and its arguments. In an argument, as in the value of a variable of Environment,
	// {credential:NAME} stands for the path of the credential NAME as the service sees it.
	Exec []string
	// ReloadSignal is sent to the main process by systemctl reload, such as HUP.
	ReloadSignal string

	// User is the account of the service: required, and never nobody. Group defaults to systemd's choice, the account's.
	User, Group string
	// DynamicUser lets systemd allocate the account where that works: see NeedsAccount.
	DynamicUser bool
	// Names of folders below /var/lib, /var/cache, /run and /etc that belong to the service; ConfigurationDirectory is
	// left to root when it exists.
	StateDirectory, CacheDirectory, RuntimeDirectory, ConfigurationDirectory string
	// ReadWritePaths and ReadOnlyPaths are further absolute paths.
	ReadWritePaths, ReadOnlyPaths []string

	Environment []Variable   // never a secret
	Credentials []Credential // secrets, as files

	OpenFiles    uint64        // LimitNOFILE=
	Tasks        uint64        // TasksMax=
	Memory       uint64        // MemoryMax= in bytes
	Restart      string        // on-failure unless set
	RestartDelay time.Duration // 5 s unless set

	TimeoutStart, TimeoutStop time.Duration

	// Capabilities such as CAP_NET_RAW are all that the process gets; none when empty.
	Capabilities []string
	Hardening    Hardening

	WantedBy string // multi-user.target unless set
}

// Variable is one entry of the environment.
type Variable struct{ Name, Value string }

// Credential is a secret that lies in a file of mode 0600.
type Credential struct {
	Name string // as the program sees it: the file's name in its credentials folder
	File string // absolute path on the host; owned by root, or by User when CredentialFiles says so
}

// Hardening chooses the sandbox. Directives that a version does not know are left out.
type Hardening struct {
	// Profile is what the program needs to see of its host; the zero value is Network.
	Profile Profile
	// Overrides replace directives of the profile by name, such as ProtectHome: read-only; an empty value leaves the
	// directive out. Lists are replaced whole. Unknown names are an error.
	Overrides map[string]string
}

// Profile is a set of hardening directives.
type Profile string

const (
	// Network is for programs that only talk to the network and their own folders: the strictest.
	Network Profile = "network"
	// Machine is for programs that report the machine: clock, mounts, network interfaces, file systems below /home.
	Machine Profile = "machine"
	// Processes is for programs that report the processes of all users.
	Processes Profile = "processes"
)

// Versions from which features work together, beyond the age of single directives.
const (
	// dynamicUserSince: StateDirectory= and a locked-down file system for dynamic users, NEWS of 235.
	dynamicUserSince = 235
	// credentialsSince: %d in ExecStart= is from 251 (NEWS), and 247 refuses it; 252 is the first that was tried.
	credentialsSince = 252
	// typeExecSince: NEWS of 240.
	typeExecSince = 240
	// strictSince: ProtectSystem=strict, NEWS of 232.
	strictSince = 232
	// filterGroupsSince: @system-service, NEWS of 239; other groups from 231.
	filterGroupsSince = 239
	// startLimitUnitSince: StartLimitIntervalSec= in [Unit], NEWS of 229 and 230.
	startLimitUnitSince = 230
	// longLinesSince: before, a line was cut at LINE_MAX (2048 bytes, src/shared/conf-parser.c).
	longLinesSince = 237
)

// CheckVersion says whether units can be written for that version; the error wraps ErrVersion and names it.
func CheckVersion(version int) error {
	if version < MinVersion {
		return fmt.Errorf("version %d, units need %d or newer: %w", version, MinVersion, ErrVersion)
	}
	return nil
}

// NeedsAccount says whether the account User must exist on a host with that version, because systemd does not allocate
// it: DynamicUser is off or too old, a secret could not be handed over, or a private /tmp, which it brings along, would
// hide what the program reports.
func (s *Service) NeedsAccount(version int) bool {
	return !s.DynamicUser || version < dynamicUserSince || s.Hardening.Profile == Machine || s.CredentialFiles(version)
}

// CredentialFiles says whether the program reads the files of its credentials itself on that version, so that User must
// own them. Otherwise systemd reads them as root.
func (s *Service) CredentialFiles(version int) bool {
	return len(s.Credentials) > 0 && version < credentialsSince
}

// NeedsFolders says whether the folders named by StateDirectory and its kind must be made, and given to User, before the
// service starts; later systemd does it.
func (s *Service) NeedsFolders(version int) bool { return version < dynamicUserSince }
