// Package sshaudit explains every login: it joins what sshd logged (authlog) to
// the lines of the files that let people in (authkeys), and says what an
// engineer should look at.
//
// Logs are reduced to a Partial: the logins, failures and bursts of a stretch of
// lines, with the connections that its first and last lines cut through.
// Partials merge in order and associatively, so it makes no difference where a
// log was cut: between the byte ranges that the cores read, between rotated
// files, or between today's log and a partial that was saved last year. A Partial's
// size does not grow with the number of lines; see failTable for how an attack
// with millions of names stays within bounds.
package sshaudit
