package pattern

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		s, pattern string
		want       bool
	}{
		{"", "", true},
		{"", "*", true},
		{"a", "", false},
		{"abc", "a*c", true},
		{"abc", "a?c", true},
		{"abc", "a??c", false},
		{"aXbXc", "a*b*c", true},
		{"abc", "**abc**", true},
		{"abc", "*?", true},
		{"[a", "[a", true},
		{strings.Repeat("a", 5000), strings.Repeat("a*", 500) + "b", false},
	} {
		if got := Match(c.s, c.pattern); got != c.want {
			t.Errorf("Match(%.20q, %.20q) = %v", c.s, c.pattern, got)
		}
	}
}

func TestLists(t *testing.T) {
	for _, c := range []struct {
		s, patterns string
		want        Result
	}{
		{"a", "b,a", Matched},
		{"a", "!a,a", Negated},
		{"a", "a,!a", Negated},
		{"a", "!b", None},
		{"", ",", Matched}, // the empty pattern before the comma
		{"a", "a,", Matched},
		{"a", "A", None},
		{"a", strings.Repeat("x", 1023) + ",a", None},
		{"a", strings.Repeat("x", 1022) + ",a", Matched},
	} {
		if got := List(c.s, c.patterns); got != c.want {
			t.Errorf("List(%q, %.30q) = %v, want %v", c.s, c.patterns, got, c.want)
		}
	}
	if HostName("Web.Example", "*.example") != Matched || HostName("web", "WEB") != Matched {
		t.Error("host names match without regard to case")
	}
}

func TestHostAndIP(t *testing.T) {
	for _, c := range []struct {
		addr, patterns string
		want           Result
	}{
		{"10.1.2.3", "10.0.0.0/8", Matched},
		{"10.1.2.3", "10.0.0.0/8,!10.1.2.3", None},
		{"10.1.2.3", "!10.1.2.0/24,*", None},
		{"10.1.2.3", "10.1.2.*", Matched},
		{"10.1.2.3", "10.1.2.?", Matched},
		{"10.1.2.3", "10.0.0.1/8", Invalid},           // host bits set
		{"10.1.2.3", "10.0.0.0/33", Invalid},          // too long for IPv4
		{"10.1.2.3", "10.1.2.3,10.0.0.0/33", Invalid}, // also behind a match
		{"10.1.2.3", "!10.1.2.3,10.0.0.0/33", None},   // not behind a negated match
		{"10.1.2.3", "10.0.0.0/129", None},
		{"10.1.2.3", "10.0.0.0/", None},
		{"10.1.2.3", "", Invalid},
		{"10.1.2.3", "10.1.2.3,", Invalid},
		{"10.1.2.3", ",10.1.2.3", Invalid},
		{"10.1.2.3", " 10.1.2.3", None},
		{"10.0.0.1", "10.1", Matched},
		{"10.0.0.1", "0xa.1", Matched},
		{"8.0.0.1", "010.0.0.1", Matched},
		{"8.0.0.9", "010.0.0.09", None},
		{"0.0.0.7", "7", Matched},
		{"::1", "::1", Matched},
		{"::1", "0:0:0:0:0:0:0:1", Matched},
		{"2001:db8::1", "2001:db8::/32", Matched},
		{"2001:db8::1", "2001:db8::1/32", Invalid},
		{"2001:db8::1", "2001:DB8:*", Matched}, // as a host name
		{"10.1.2.3", "::ffff:10.1.2.3", None},
		{"10.1.2.3", "host.example", None},
		{"10.1.2.3", "0.0.0.0/0", Matched},
		{"::1", "0.0.0.0/0", None},
		{"::1", "::/0", Matched},
	} {
		if got := HostAndIP(c.addr, c.addr, c.patterns); got != c.want {
			t.Errorf("HostAndIP(%s, %q) = %v, want %v", c.addr, c.patterns, got, c.want)
		}
	}
	if HostAndIP("web.example", "10.1.2.3", "*.example") != Matched || HostAndIP("web.example", "10.1.2.3", "!web.*,10.*") != None {
		t.Error("a name is matched beside the address")
	}
}

func TestCIDRList(t *testing.T) {
	for list, want := range map[string]Result{
		"10.0.0.0/8": Matched, "11.0.0.0/8": None, "11.0.0.0/8,10.1.2.3": Matched, "10.*": Invalid, "10.0.0.0/8,": Invalid,
		"!10.0.0.0/8": Invalid, "10.0.0.1/8": Invalid, "": Invalid, "::/0": None,
	} {
		if got := CIDRList("10.1.2.3", list); got != want {
			t.Errorf("CIDRList(%q) = %v, want %v", list, got, want)
		}
	}
}

func TestUsersAndGroups(t *testing.T) {
	for _, c := range []struct {
		pattern string
		lastAt  bool
		want    Result
	}{
		{"root", false, Matched},
		{"r*", false, Matched},
		{"admin", false, None},
		{"root@10.0.0.0/8", false, Matched},
		{"root@11.0.0.0/8", false, None},
		{"*@*", false, Matched},
		{"root@10.0.0.1/8", false, Invalid},
		{"admin@10.0.0.1/8", false, None},
		{"a@b@10.*", true, None},
	} {
		if got := User("root", "10.1.1.1", "10.1.1.1", c.pattern, c.lastAt); got != c.want {
			t.Errorf("User(%q) = %v, want %v", c.pattern, got, c.want)
		}
	}
	if ValidUser("root@10.0.0.1/8", true) || !ValidUser("root@web*", true) {
		t.Error("ValidUser")
	}
	if !AnyGroup([]string{"a", "wheel"}, []string{"x", "wh*"}) || AnyGroup([]string{"a"}, []string{"!b"}) {
		t.Error("AnyGroup")
	}
	if GroupList([]string{"a", "b"}, "a,!b") || !GroupList([]string{"a"}, "a,!b") {
		t.Error("GroupList")
	}
}
