package authlog

import "bytes"

// parseRest knows the messages that say nothing about who may log in, by their
// beginnings.
func parseRest(b []byte, e *Event) {
	// By far the most frequent ones first: the lists cost an allocation.
	if has(b, "pam_unix(") || has(b, "Received disconnect from ") {
		e.Kind = Noise
		return
	}
	for _, p := range noise(b[0]) {
		if has(b, p) {
			e.Kind = Noise
			return
		}
	}
	// "FILE line N: ..." and "FILE:LINE: ..." about an authorized_keys file.
	if b[0] == '/' && bytes.Contains(b, []byte(": ")) {
		e.Kind = Noise
	}
}

// noise lists the beginnings of such messages by their first byte (OpenSSH's
// sshd.c, session.c, serverloop.c, auth*.c, packet.c; Linux-PAM; libwrap).
func noise(first byte) []string {
	switch first {
	case 'A':
		return []string{"Authorized to ", "Allowed ", "Address ", "Attempt to write login records"}
	case 'B':
		return []string{"Bad protocol version", "Bad packet length", "Bad remote protocol version", "Bad options in ", "Bind to port "}
	case 'C':
		return []string{
			"Certificate ", "Changed root directory", "Close session: ", "Closing connection to ", "Could not ", "Corrupted MAC",
			"Cannot ", "CA ", "Connection from ", "Connection closed by ", "Connection reset by ",
		}
	case 'D':
		return []string{"Deprecated option", "DNS ", "Deferred "}
	case 'E', 'G':
		return []string{"Exiting on signal", "Entering ", "Exempted ", "Got ", "GSSAPI "}
	case 'F':
		return []string{"Found matching ", "Forced command", "Failed to "}
	case 'I':
		return []string{"Ignored ", "Invalid argument"}
	case 'K', 'L':
		return []string{"Key ", "Kerberos ", "Login ", "Locked ", "Keyboard"}
	case 'M', 'N':
		return []string{"Missing privilege separation", "Nasty PTR record", "No supported ", "Nothing ", "No "}
	case 'O', 'P':
		return []string{"Only root can run", "PAM ", "PAM: ", "Password ", "Protocol major versions differ", "PermitRootLogin", "Penalty ", "Privilege"}
	case 'R':
		return []string{
			"Received disconnect ", "Received SIGHUP", "Received signal", "ROOT LOGIN REFUSED", "Refused by ", "Root login accepted",
			"Read error", "Removing ", "RSA key ", "Remote: ", "Refusing ",
		}
	case 'S':
		return []string{
			"Server listening on ", "Starting session: ", "Set ", "Session ", "SSH: Server;", "Sending ", "Sshd ",
			"Server refused", "Support for ",
		}
	case 'T', 'U':
		return []string{
			"Transferred: ", "Timeout, client not responding", "Timeout before", "User child is on pid", "Unable to negotiate",
			"User ", "Unsupported ", "Unable ", "Unknown ", "Too many ",
		}
	case 'W', 'X', 'Y':
		return []string{"WARNING: ", "Warning: ", "Write failed", "X11 ", "Wrong "}
	}
	return lowerNoise(first)
}

// lowerNoise lists those that begin with a small letter.
func lowerNoise(first byte) []string {
	switch first {
	case 'a', 'b', 'c':
		return []string{
			"banner exchange: ", "beginning MaxStartups", "buffer_get", "bad ", "bind", "check pass; user unknown",
			"cleanup", "chroot", "channel ", "client_loop", "auth", "connect_to ",
		}
	case 'd':
		return []string{"debug1: ", "debug2: ", "debug3: ", "dispatch_protocol_error", "drop connection #", "do_", "dh_"}
	case 'e', 'f', 'g':
		return []string{
			"exited MaxStartups", "error: ", "fatal: ", "failed ", "fork of ", "getpeername", "gssapi", "fill_", "exit",
		}
	case 'h', 'i', 'k', 'l', 'm':
		return []string{
			"input_userauth_request", "input_", "kex_exchange_identification", "kex_", "last message repeated", "lastlog", "last ",
			"hash", "hostbased", "incoming ", "login_", "linux_", "mm_", "monitor_", "message authentication",
			"maximum authentication", "maxstartups", "log_", "key_", "message repeated ",
		}
	case 'n', 'o', 'p':
		return []string{
			"no matching ", "no hostkey", "nss_", "pam_", "packet_", "padding error", "probed from", "oom", "open", "parse_",
			"penalty", "permanently_", "process_", "padding", "ppoll", "notify_",
		}
	case 'r', 's', 't':
		return []string{
			"reverse mapping checking", "refused connect from", "rexec line", "rexec", "read_", "recv", "resending", "restorecon",
			"session ", "session_", "ssh_dispatch_run_fatal", "subsystem request", "srclimit_penalise", "srclimit",
			"sshpkt", "ssh_", "syslogin_", "sshd", "scanned from", "server_", "set_", "setup", "send_", "serverloop", "tcpwrappers", "toremote",
			"temporarily_", "userauth", "send ", "restore_", "trying ",
		}
	case 'u', 'v', 'w', 'x', 'z':
		return []string{
			"userauth_pubkey", "userauth_", "user ", "unable to ", "unknown ", "unexpected ", "warning: ", "xauth", "uid ", "write",
			"wait", "verify", "use_privsep",
		}
	}
	return nil
}
