// Package accounts reads a host's users and groups: passwd(5), group(5) and shadow(5), or what getent
// says on a live host, so that accounts from a directory service count too.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/host"
)

// Limits on what is read and waited for.
const (
	maxFile    = 64 << 20
	getentTime = 30 * time.Second
)

// User is an account.
type User struct {
	Name     string
	UID, GID uint32
	Home     string
	Shell    string // "" stands for /bin/sh
	// Locked says that the password begins with "!", as passwd -l leaves it.
	Locked bool
	// Expires is the first moment at which the account is no longer valid; zero is never.
	Expires time.Time
}

// Group is a group with the members that group(5) lists.
type Group struct {
	Name    string
	GID     uint32
	Members []string
}

// Database holds users and groups in the order in which the system finds them: of two entries with one
// name the first counts.
type Database struct {
	Users  []User
	Groups []Group
	// ShadowRead is false when shadow(5) could not be read, so that Locked and Expires are unknown.
	ShadowRead bool

	host    *host.Host
	byName  map[string]int
	byGID   map[uint32]int
	members map[string][]uint32 // user to the groups that list it
}

// Read reads the accounts of a host. Without a readable list of users it fails; a group file that cannot
// be read is an error beside the database. The shadow file is for root alone and may be missing.
func Read(ctx context.Context, h *host.Host) (*Database, error) {
	users, err := list(ctx, h, "passwd")
	if err != nil {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	db := &Database{host: h}
	for _, f := range users {
		if u, ok := parseUser(f); ok {
			db.Users = append(db.Users, u)
		}
	}
	var errs []error
	groups, err := list(ctx, h, "group")
	if err != nil {
		errs = append(errs, fmt.Errorf("reading groups: %w", err))
	}
	for _, f := range groups {
		if g, ok := parseGroup(f); ok {
			db.Groups = append(db.Groups, g)
		}
	}
	db.index()
	if shadow, err := h.ReadFile("/etc/shadow", maxFile); err == nil {
		db.ShadowRead = true
		db.addShadow(entries(shadow))
	}
	return db, errors.Join(errs...)
}

// list gives the entries of a database, from getent on a live host that has it.
func list(ctx context.Context, h *host.Host, name string) ([][]string, error) {
	if h.Live() {
		ctx, cancel := context.WithTimeout(ctx, getentTime)
		defer cancel()
		if out, err := h.Run(ctx, "getent", name); err == nil && len(out) > 0 {
			return entries(out), nil
		}
	}
	data, err := h.ReadFile("/etc/"+name, maxFile)
	return entries(data), err
}

// entries splits lines into fields, without comments and the +/- lines of nss_compat.
func entries(data []byte) [][]string {
	var list [][]string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimLeft(strings.TrimRight(line, "\n"), " \t")
		if line == "" || strings.ContainsAny(line[:1], "#+-") {
			continue
		}
		list = append(list, strings.Split(line, ":"))
	}
	return list
}

func parseUser(f []string) (User, bool) {
	if len(f) < 4 || f[0] == "" {
		return User{}, false
	}
	uid, err1 := strconv.ParseUint(f[2], 10, 32)
	gid, err2 := strconv.ParseUint(f[3], 10, 32)
	if err1 != nil || err2 != nil {
		return User{}, false
	}
	f = append(f, "", "", "")
	return User{Name: f[0], UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6], Locked: strings.HasPrefix(f[1], "!")}, true
}

func parseGroup(f []string) (Group, bool) {
	if len(f) < 3 || f[0] == "" {
		return Group{}, false
	}
	gid, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return Group{}, false
	}
	g := Group{Name: f[0], GID: uint32(gid)}
	if len(f) > 3 {
		g.Members = slices.DeleteFunc(strings.Split(f[3], ","), func(m string) bool { return strings.TrimSpace(m) == "" })
	}
	return g, true
}

func (db *Database) index() {
	db.byName, db.byGID, db.members = map[string]int{}, map[uint32]int{}, map[string][]uint32{}
	for i, u := range db.Users {
		if _, taken := db.byName[u.Name]; !taken {
			db.byName[u.Name] = i
		}
	}
	for i, g := range db.Groups {
		if _, taken := db.byGID[g.GID]; !taken {
			db.byGID[g.GID] = i
		}
		for _, m := range g.Members {
			db.members[m] = append(db.members[m], g.GID)
		}
	}
}

// addShadow takes lock and expiry from shadow(5), which overrules passwd(5).
func (db *Database) addShadow(list [][]string) {
	seen := map[string]bool{}
	for _, f := range list {
		if len(f) < 2 || seen[f[0]] {
			continue
		}
		seen[f[0]] = true
		i, ok := db.byName[f[0]]
		if !ok {
			continue
		}
		db.Users[i].Locked = strings.HasPrefix(f[1], "!")
		if len(f) > 7 {
			// sp_expire is the last day on which the account is valid (auth-shadow.c).
			if days, err := strconv.ParseInt(f[7], 10, 32); err == nil && days >= 0 {
				db.Users[i].Expires = time.Unix((days+1)*24*60*60, 0).UTC()
			}
		}
	}
}

// Lookup finds a user by name; on a live host it asks for one that the list does not hold, for
// directory services seldom list all.
func (db *Database) Lookup(ctx context.Context, name string) (User, bool) {
	if i, ok := db.byName[name]; ok {
		return db.Users[i], true
	}
	if !db.host.Live() || name == "" || strings.ContainsAny(name, ":\n") {
		return User{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, getentTime)
	defer cancel()
	out, err := db.host.Run(ctx, "getent", "--", "passwd", name)
	if err != nil {
		return User{}, false
	}
	for _, f := range entries(out) {
		if u, ok := parseUser(f); ok && u.Name == name {
			return u, true
		}
	}
	return User{}, false
}

// Home finds a user's home folder by name; "" is the user with uid 0.
func (db *Database) Home(name string) (string, bool) {
	i := slices.IndexFunc(db.Users, func(u User) bool {
		if name == "" {
			return u.UID == 0
		}
		return u.Name == name
	})
	if i < 0 {
		return "", false
	}
	return db.Users[i].Home, true
}

// GIDs lists the groups that a user's processes have, the primary one first (getgrouplist(3)).
func (db *Database) GIDs(u User) []uint32 {
	list := []uint32{u.GID}
	for _, gid := range db.members[u.Name] {
		if !slices.Contains(list, gid) {
			list = append(list, gid)
		}
	}
	return list
}

// GroupNames lists a user's groups by name; groups without one are left out.
func (db *Database) GroupNames(u User) []string {
	var names []string
	for _, gid := range db.GIDs(u) {
		if i, ok := db.byGID[gid]; ok {
			names = append(names, db.Groups[i].Name)
		}
	}
	return names
}

// OwnGroup is the rule of Debian's patch to sshd (secure_permissions() in misc.c): whether a file of owner
// that the group gid may write is still the user uid's alone, because the group holds nobody else. A
// group without any members does not count.
func (db *Database) OwnGroup(gid, owner, uid uint32) bool {
	i, ok := db.byGID[gid]
	if !ok {
		return false
	}
	members := 0
	for _, u := range db.Users {
		if u.GID == gid {
			members++
			if u.UID != uid {
				return false
			}
		}
	}
	j := slices.IndexFunc(db.Users, func(u User) bool { return u.UID == owner })
	if j < 0 {
		return false
	}
	if listed := db.Groups[i].Members; len(listed) > 0 {
		members++
		if len(listed) > 1 || listed[0] != db.Users[j].Name {
			return false
		}
	}
	return members > 0
}
