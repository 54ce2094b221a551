// Package testpeers builds and runs the real programs that opsctl's tests are judged by.
//
// A [Tree] is a small read-only root file system made of a Debian suite's own packages, unpacked into the test cache and
// never installed on the machine. A [Box] is a private view of a tree: own mount, pid, network and host name namespaces,
// own /etc, /home, /root, /run, /tmp and /var, every IP address local. A [Sshd] runs in a box. Everything that a box
// started dies with the box, and the box dies with the process that made it, however that ends.
//
// It needs Linux, root, and on the first run apt-get and dpkg-deb with a Debian mirror configured.
package testpeers
