package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/scrape"
)

// collector is the component that is told of all others.
const collector = "prometheus"

// tellCollector adds the steps for the Prometheus of this host: those of its own installation, where it is asked for, and
// the scrape jobs of what is installed with it or beside it. Where it is elsewhere, the jobs are noted.
func (in *Installer) tellCollector(ctx context.Context, p *plan.Plan, targets []*target) error {
	told := slices.DeleteFunc(slices.Clone(targets), func(t *target) bool { return t.c.Name == collector })
	i := slices.IndexFunc(targets, func(t *target) bool { return t.c.Name == collector })
	if i >= 0 {
		others, err := in.others(targets)
		if err != nil {
			return err
		}
		t := targets[i]
		if err := in.configure(p, t, append(told, others...)); err != nil {
			return err
		}
		return in.bring(ctx, p, t)
	}
	t, err := in.installedCollector(ctx)
	if err != nil || len(told) == 0 {
		return err
	}
	if t == nil {
		in.noteJobs(p, told)
		return nil
	}
	if err := in.configure(p, t, told); err != nil || t.config == nil {
		return err
	}
	return in.bringConfig(p, t)
}

// others are the components that are installed and not among the targets.
func (in *Installer) others(targets []*target) ([]*target, error) {
	var all []*target
	for _, name := range in.Catalogue.Names() {
		if name == collector || slices.ContainsFunc(targets, func(t *target) bool { return t.c.Name == name }) {
			continue
		}
		c, s, err := in.installed(name)
		switch {
		case errors.Is(err, ErrNotInstalled):
		case err != nil:
			return nil, err
		default:
			all = append(all, &target{c: c, want: s, have: &state{settings: s}})
		}
	}
	return all, nil
}

// installedCollector is nil where opsctl has not installed one.
func (in *Installer) installedCollector(ctx context.Context) (*target, error) {
	if !slices.Contains(in.Catalogue.Names(), collector) {
		return nil, nil
	}
	c, s, err := in.installed(collector)
	if errors.Is(err, ErrNotInstalled) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	have, err := in.readOwn(ctx, c, s)
	if errors.Is(err, ErrForeign) {
		return nil, nil // somebody else runs it now
	}
	return &target{c: c, have: have, want: s, o: Options{Wait: patience}}, err
}

// configure works out the collector's configuration with the jobs of others in it: target.config, nil where it stays.
func (in *Installer) configure(p *plan.Plan, t *target, told []*target) error {
	name, err := in.follow(t.c.configFile(t.want))
	if err != nil {
		return err
	}
	was, err := in.look(name)
	if err != nil {
		return err
	}
	before := was.Text
	if was.Absent {
		if before, err = in.firstConfig(t); err != nil {
			return err
		}
	}
	text := before
	for _, other := range told {
		after, err := in.tell(p, name, text, other)
		if fault, ok := errors.AsType[*scrape.Error](err); ok {
			// A file that cannot be edited without touching more than the job: it is said, and left alone.
			p.Note("%v; put this into it by hand:\n%s", fault, other.snippet())
			continue
		}
		if err != nil {
			return err
		}
		text = after
	}
	if was.Absent || !bytes.Equal(text, before) {
		t.config = text
	}
	return nil
}

// tell edits the collector's configuration for one component, as it was chosen.
func (in *Installer) tell(p *plan.Plan, name string, text []byte, t *target) ([]byte, error) {
	text, err := in.untell(name, text, t)
	if before := t.have.settings; err == nil && before != nil && before.Scrape == ScrapeFile && t.want.Scrape != ScrapeFile {
		err = in.dropTargets(p, t)
	}
	if err != nil || t.want.Scrape == ScrapeOff {
		return text, err
	}
	if t.want.Scrape == ScrapeFile {
		if _, err := in.writeFile(p, t.targetsFile(), t.targets()); err != nil {
			return nil, err
		}
	}
	if t.c.Scrape.Alertmanager {
		if text, err = scrape.AddAlertmanager(name, text, t.c.address(t.want)); err != nil {
			return nil, err
		}
	}
	return scrape.Add(name, text, t.job())
}

// untell takes out what an installation with other settings put in.
func (in *Installer) untell(name string, text []byte, t *target) ([]byte, error) {
	before := t.have.settings
	if before == nil || before.Scrape == ScrapeOff || before.Scrape == t.want.Scrape && t.c.address(before) == t.c.address(t.want) && t.c.metricsPath(before) == t.c.metricsPath(t.want) {
		return text, nil
	}
	return (&target{c: t.c, want: before}).removeJob(name, text)
}

// removeJob takes a component out of a configuration.
func (t *target) removeJob(name string, text []byte) (_ []byte, err error) {
	if t.c.Scrape.Alertmanager {
		if text, err = scrape.RemoveAlertmanager(name, text, t.c.address(t.want)); err != nil {
			return nil, err
		}
	}
	if t.want.Scrape == ScrapeFile {
		return scrape.Remove(name, text, t.c.Name)
	}
	return scrape.Remove(name, text, t.c.Name, t.c.address(t.want))
}

// dropTargets removes the component's file for file_sd_configs.
func (in *Installer) dropTargets(p *plan.Plan, t *target) error {
	file, err := in.look(t.targetsFile())
	if err == nil && !file.Absent {
		p.Add(in.change(file, &formerFile{Path: t.targetsFile(), Absent: true}))
	}
	return err
}

// job is the component's scrape job.
func (t *target) job() scrape.Job {
	job := scrape.Job{Name: t.c.Name, HonorLabels: t.c.Scrape.HonorLabels, Targets: []string{t.c.address(t.want)}, MetricsPath: t.metricsPath()}
	if t.want.Scrape == ScrapeFile {
		job.Targets, job.FileSD = nil, []string{t.targetsFile()}
	}
	return job
}

// metricsPath is "" for that which Prometheus takes without.
func (t *target) metricsPath() string {
	if name := t.c.metricsPath(t.want); name != "/metrics" {
		return name
	}
	return ""
}

// targetsFile is the component's file for file_sd_configs.
func (t *target) targetsFile() string {
	return path.Join("/etc", collector, "targets", t.c.Name+".yml")
}

func (t *target) targets() []byte {
	return fmt.Appendf(nil, "- targets: [%q]\n", t.c.address(t.want))
}

// snippet is the job as a configuration of its own, for a Prometheus elsewhere.
func (t *target) snippet() []byte {
	job := scrape.Job{Name: t.c.Name, HonorLabels: t.c.Scrape.HonorLabels, Targets: []string{t.c.address(t.want)}, MetricsPath: t.metricsPath()}
	text, err := scrape.Add("prometheus.yml", nil, job)
	if err == nil && t.c.Scrape.Alertmanager {
		text, err = scrape.AddAlertmanager("prometheus.yml", text, t.c.address(t.want))
	}
	if err != nil {
		return nil
	}
	return text
}

// noteJobs says what a Prometheus elsewhere has to be told.
func (in *Installer) noteJobs(p *plan.Plan, told []*target) {
	if len(p.Steps) == 0 {
		return
	}
	for _, t := range told {
		if t.want.Scrape == ScrapeOff {
			continue
		}
		where := "with this host's address"
		if t.c.loopback(t.want) {
			where = "where it can reach that address"
		}
		p.Note("no Prometheus of opsctl's is on this host; in the prometheus.yml of yours, %s:\n%s", where, t.snippet())
	}
}

// bringConfig adds the steps for a collector that is installed already, and of which nothing but its configuration changes.
func (in *Installer) bringConfig(p *plan.Plan, t *target) error {
	if _, err := in.layConfig(p, t); err != nil || in.Manager == nil {
		return err
	}
	if !t.have.runs(t.c, t.want.Version) {
		p.Note("%s does not run as installed: it reads its new configuration when it is started", t.c.service())
		return nil
	}
	in.reloadSteps(p, t)
	return nil
}

// forget adds the steps that take a component out of the configuration of this host's Prometheus.
func (in *Installer) forget(ctx context.Context, p *plan.Plan, gone *target) error {
	if gone.c.Name == collector || gone.want.Scrape == ScrapeOff {
		return nil
	}
	t, err := in.installedCollector(ctx)
	if err != nil || t == nil {
		return err
	}
	name, err := in.follow(t.c.configFile(t.want))
	if err != nil {
		return err
	}
	was, err := in.look(name)
	if err != nil || was.Absent {
		return err
	}
	text, err := gone.removeJob(name, was.Text)
	if fault, ok := errors.AsType[*scrape.Error](err); ok {
		p.Note("%v; take job %s out of it by hand", fault, gone.c.Name)
		return nil
	}
	if err != nil {
		return err
	}
	if gone.want.Scrape == ScrapeFile {
		if err := in.dropTargets(p, gone); err != nil {
			return err
		}
	}
	if bytes.Equal(text, was.Text) {
		return nil
	}
	t.config = text
	return in.bringConfig(p, t)
}
