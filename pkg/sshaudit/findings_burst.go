package sshaudit

import (
	"fmt"
	"time"
)

// bruteForce tells of bursts, and of the logins after them.
func (r *reporter) bruteForce() {
	sums := map[hostAddr]*failRow{}
	tried := map[hostAddr][]string{}
	for _, b := range r.p.bursts.live {
		if b.detected != 0 {
			sums[b.key] = nil
		}
	}
	if len(sums) == 0 {
		return
	}
	for i := range r.p.fails.n {
		row := r.p.fails.row(i)
		key := hostAddr{int(row.host), row.addr}
		sum, burst := sums[key]
		switch {
		case !burst || row.collapsed&collapseAddr != 0:
			continue
		case sum == nil:
			sums[key] = new(*row)
		default:
			sum.count += row.count
			sum.first, sum.last = min(sum.first, row.first), max(sum.last, row.last)
		}
		if len(tried[key]) < maxTried {
			tried[key] = append(tried[key], string(r.p.fails.user(row)))
		}
	}
	for key, sum := range sums {
		r.burst(r.p.hosts[key.host].name, r.p.addrText(key.addr), r.p.bursts.get(key), sum, tried[key])
	}
}

// maxTried bounds the names by which --user finds a burst.
const maxTried = 1000

func (r *reporter) burst(host, ip string, b *burst, sum *failRow, tried []string) {
	detected := at(int64(b.detected))
	s := scope{host: host, ips: []string{ip}, users: tried}
	message := fmt.Sprintf("%d failures within 10 minutes, complete at %s", burstSize, detected.Format(time.RFC3339))
	if sum != nil {
		message = fmt.Sprintf("%d failures from %s to %s, %d of them within 10 minutes by %s",
			sum.count, at(int64(sum.first)).Format(time.RFC3339), at(int64(sum.last)).Format(time.RFC3339), burstSize, detected.Format(time.RFC3339))
	}
	g := &group{}
	for i := range r.doc.Logins {
		if l := &r.doc.Logins[i]; l.Host == host && l.IP == ip && !l.Last.Before(detected) {
			g.logins, g.count = append(g.logins, l), g.count+l.Count
		}
	}
	r.add(Finding{
		ID: "brute-force", Subject: ip, Message: message, scope: s, Evidence: r.evidenceOf(host, b.at),
		Remedy: "block the address; PasswordAuthentication no, and MaxStartups or PerSourcePenalties slow the next one",
	})
	if len(g.logins) == 0 {
		return
	}
	_, last := g.span()
	s = g.scope()
	r.add(Finding{
		ID: "brute-force-then-success", Subject: ip, Evidence: g.evidence(), scope: s,
		Message: fmt.Sprintf("after %s, %s logged in (%s), last at %s", message, users(g), g.logins[0].Method, last.Format(time.RFC3339)),
		Remedy:  "take the account as stolen: end its sessions, change its password and keys, look at what it did",
	})
}
