// Package systemd reads, writes and judges unit files without asking a running systemd.
//
// [Parse] keeps every line of a unit with its number and understands it as systemd does (systemd.syntax(7),
// src/shared/conf-parser.c). [Service] is a unit to be written: [Service.Render] gives the text for one version of systemd,
// from 219 on, with each directive only where that version knows it, and with no way for a value to become a directive.
// [Lint] finds what the usual recipes get wrong, by line, with the line to write instead.
//
// Nothing here prints, starts a service or talks to D-Bus.
package systemd
