package sshcmd

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/host"
)

// whoCanOptions are the flags and what they are parsed into.
type whoCanOptions struct {
	read  authkeys.Options
	query authkeys.Query
	from  string
	root  string
}

// whoCanResult is the document of kind SSHWhoCan.
type whoCanResult struct {
	host string
	authkeys.Verdict
	// Unknown says that nobody was found who gets in, but that one of the user's files could not be read.
	Unknown  bool               `json:"unknown"`
	Source   string             `json:"source"`
	Problems []authkeys.Problem `json:"problems"` // about the user, or about all
}

func newWhoCan(env *cli.Env) *cobra.Command {
	var o whoCanOptions
	cmd := &cobra.Command{
		Use:   "who-can USER [flags]",
		Short: "Say whose keys get into an account, by which line, and why not the others",
		Long: "Reproduces sshd's decision about a login with a public key: sshd_config with\n" +
			"Include and Match, the account, every line of its key files with its options,\n" +
			"authorities, revocation lists, key types and sizes, file permissions. Exits 0\n" +
			"when someone gets in, 3 when nobody does.",
		Example: "  opsctl ssh who-can root\n" +
			"  opsctl ssh who-can deploy --from 203.0.113.7 --root /mnt/web01\n" +
			"  opsctl ssh who-can alice --key ~/.ssh/id_ed25519.pub -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.query.User = args[0]
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			if err := o.check(env); err != nil {
				return err
			}
			result, err := whoCan(cmd.Context(), o)
			if result == nil {
				return auditError(err)
			}
			if renderErr := render.Document(env, result.view()); renderErr != nil {
				return renderErr
			}
			return result.exit(err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "the client's address `IP`; without it, any")
	f.StringVar(&o.query.Key, "key", "", "ask about `KEY` alone: a fingerprint, a file, a certificate, or a part of a key's base64")
	f.StringVar(&o.query.HostName, "host-name", "", "the client's `NAME` by reverse lookup, which counts when UseDNS is on")
	f.StringVar(&o.root, "root", "", "take `DIR` as the host's /: its accounts, keys and sshd_config")
	f.StringArrayVar(&o.read.Explicit, "authorized-keys", nil, "read the keys of this `FILE|DIR` instead of the account's files (repeatable)")
	f.BoolVar(&o.read.RunKeysCommand, "run-keys-command", false, "run AuthorizedKeysCommand for each account, as sshd would")
	return cmd
}

// check turns the flags into the package's options.
func (o *whoCanOptions) check(env *cli.Env) error {
	o.read.Now, o.query.Now = env.Now(), env.Now()
	if o.from != "" {
		addr, err := netip.ParseAddr(o.from)
		if err != nil {
			return cli.Usagef("--from %q is no IP address", o.from)
		}
		o.query.From = addr
	}
	if o.query.Key != "" {
		if _, err := authkeys.FingerprintOf(o.query.Key); err != nil {
			return cli.Usagef("--key: %w", err)
		}
	}
	if o.root == "" {
		o.read.Host = host.Local()
		return nil
	}
	if o.read.RunKeysCommand {
		return cli.Usagef("--run-keys-command runs programs of this host, not of --root %s", o.root)
	}
	h, err := host.Root(o.root)
	if err != nil {
		return &cli.Error{Code: cli.CodeUsage, ID: "ssh.root", Err: err, Hint: "--root takes the folder that holds the host's etc and home"}
	}
	o.read.Host = h
	return nil
}

// whoCan reads the host and asks. A result may stand beside an error that names the files which could
// not be read.
func whoCan(ctx context.Context, o whoCanOptions) (*whoCanResult, error) {
	set, err := authkeys.Read(ctx, o.read)
	if set == nil {
		return nil, err
	}
	if o.query.Key != "" {
		if _, findErr := set.Find(o.query.Key); findErr != nil {
			return nil, cli.Usagef("--key: %w", findErr)
		}
	}
	r := &whoCanResult{host: set.Host, Verdict: set.WhoCan(o.query), Source: set.Source, Problems: []authkeys.Problem{}}
	for _, p := range set.Problems {
		if p.User == "" || p.User == o.query.User {
			r.Problems = append(r.Problems, p)
		}
	}
	r.Unknown = !r.Allowed && slices.ContainsFunc(r.Problems, func(p authkeys.Problem) bool {
		return p.Kind == authkeys.ProblemUnreadable && p.User == o.query.User
	})
	return r, err
}

// exit gives the answer its code: 3 when nobody gets in, else 4 when files could not be read.
func (r *whoCanResult) exit(err error) error {
	if !r.Allowed && !r.Unknown {
		found := cli.Found()
		found.Err = err
		return found
	}
	if err != nil {
		return cli.Partial(err)
	}
	return nil
}

func (r *whoCanResult) view() render.View {
	return render.View{
		Kind:  "SSHWhoCan",
		Host:  r.host,
		Body:  r,
		Page:  r.page,
		CSV:   r.csv,
		Names: r.names,
	}
}

// names are the places of the lines that let someone in.
func (r *whoCanResult) names() []string {
	names := []string{}
	for _, c := range r.Candidates {
		if c.Allowed {
			names = append(names, candidateLine(c))
		}
	}
	return names
}

func candidateLine(c authkeys.Candidate) string { return c.File + ":" + strconv.Itoa(c.Line) }

func (r *whoCanResult) page(p *render.Page) {
	from := "any address"
	if r.From != "" {
		from = r.From
	}
	switch {
	case r.Allowed:
		p.Para("%s from %s: a login gets in by %s:%d (%s)", r.User, from, r.File, r.Line, r.Reason)
	case r.Unknown:
		p.Para("%s from %s: unknown: %s", r.User, from, r.Reason)
	default:
		p.Para("%s from %s: nobody gets in: %s", r.User, from, r.Reason)
	}
	if len(r.Candidates) > 0 {
		heads, rows := r.rows(p.Wide())
		p.Heading("Keys")
		p.Table(heads, nil, rows)
	}
	if len(r.Problems) == 0 {
		return
	}
	p.Heading("Problems")
	rows := make([][]string, len(r.Problems))
	for i, problem := range r.Problems {
		rows[i] = []string{string(problem.Kind), problemLine(problem), problem.Message, problem.Remedy}
	}
	p.Table([]string{"KIND", "FILE", "WHAT", "REMEDY"}, nil, rows)
}

func problemLine(p authkeys.Problem) string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

func (r *whoCanResult) csv() ([]string, [][]string) {
	rows := make([][]string, len(r.Candidates))
	for i, c := range r.Candidates {
		rows[i] = []string{
			strconv.FormatBool(c.Allowed), c.File, strconv.Itoa(c.Line), c.Type, strconv.Itoa(c.Bits), c.Fingerprint, c.Comment,
			strconv.FormatBool(c.CA), c.Reason,
		}
	}
	return []string{"allowed", "file", "line", "type", "bits", "fingerprint", "comment", "ca", "reason"}, rows
}

// rows lay out the candidates; wide adds fingerprints and sizes.
func (r *whoCanResult) rows(wide bool) ([]string, [][]string) {
	heads := []string{"ALLOWED", "LINE", "TYPE", "COMMENT", "WHY"}
	if wide {
		heads = []string{"ALLOWED", "LINE", "TYPE", "BITS", "FINGERPRINT", "COMMENT", "WHY"}
	}
	rows := make([][]string, len(r.Candidates))
	for i, c := range r.Candidates {
		allowed, kind := "no", c.Type
		if c.Allowed {
			allowed = "yes"
		}
		if c.CA {
			kind += " authority"
		}
		rows[i] = []string{allowed, candidateLine(c), kind, c.Comment, c.Reason}
		if wide {
			rows[i] = []string{allowed, candidateLine(c), kind, strconv.Itoa(c.Bits), c.Fingerprint, c.Comment, c.Reason}
		}
	}
	return heads, rows
}
