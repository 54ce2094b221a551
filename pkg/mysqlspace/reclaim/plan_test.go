package reclaim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

const mib = 1 << 20

// table has 100 MiB, of which a rebuild frees between low and high.
func table(name string, low, expected, high int64) reclaim.Table {
	return reclaim.Table{
		Item: space.Item{
			Schema: "shop", Table: name, Engine: "InnoDB", Method: "in-place", AllocatedBytes: new(int64(100 * mib)),
			ReclaimableBytes: &expected, ReclaimableLowBytes: &low, ReclaimableHighBytes: &high, Fill: new(0.5),
		},
		Place: reclaim.OwnFile, Known: true, UniqueKey: true, Mounts: []string{"/data"},
	}
}

func mounts(data, tmp int64) []space.Mount {
	return []space.Mount{{Path: "/data", Free: data}, {Path: "/tmp", Free: tmp}}
}

func TestATableThatFitsOnlyAfterTheFormerSaysSo(t *testing.T) {
	small, large := table("small", 50*mib, 50*mib, 50*mib), table("large", 60*mib, 60*mib, 60*mib)
	large.AllocatedBytes = new(int64(160 * mib)) // its new file takes 100 MiB
	small.ReclaimableBytes, small.ReclaimableLowBytes, small.ReclaimableHighBytes = new(int64(61*mib)), new(int64(61*mib)), new(int64(61*mib))
	plan := reclaim.Rank(reclaim.Tables([]reclaim.Table{large, small}, reclaim.Server{TmpMount: "/tmp"}), mounts(90*mib, 0), 0)
	var got []string
	for _, s := range plan.Steps {
		got = append(got, s.Table+" "+string(s.Fits)+" "+string(s.FitsInOrder))
	}
	if diff := cmp.Diff([]string{"small yes yes", "large no yes"}, got); diff != "" {
		t.Error(diff)
	}
	if plan.FreesBytes != 121*mib {
		t.Errorf("frees %d", plan.FreesBytes)
	}
}

func TestWhatIsTooSmallForThePlanCountsForNothing(t *testing.T) {
	small, large := table("small", 30*mib, 30*mib, 30*mib), table("large", 60*mib, 60*mib, 60*mib)
	large.AllocatedBytes = new(int64(180 * mib)) // its new file takes 120 MiB
	steps := reclaim.Tables([]reclaim.Table{large, small}, reclaim.Server{TmpMount: "/tmp"})
	all := reclaim.Rank(steps, mounts(100*mib, 0), 30*mib)
	if len(all.Steps) != 2 || all.FreesBytes != 30*mib {
		t.Fatalf("%d steps free %d", len(all.Steps), all.FreesBytes)
	}
	plan := reclaim.Rank(steps, mounts(100*mib, 0), 30*mib+1)
	if len(plan.Steps) != 1 || plan.Steps[0].Table != "large" || plan.Steps[0].FitsInOrder != reclaim.No || plan.FreesBytes != 0 {
		t.Errorf("%+v frees %d", plan.Steps, plan.FreesBytes)
	}
}

func TestFitsIsUnsureBetweenTheBounds(t *testing.T) {
	for name, c := range map[string]struct {
		data, tmp int64
		want      reclaim.Answer
	}{
		"more than the upper bound":      {71 * mib, 100 * mib, reclaim.Yes},
		"the upper bound":                {70 * mib, 100 * mib, reclaim.Yes},
		"between":                        {60 * mib, 100 * mib, reclaim.Unsure},
		"less than the lower bound":      {49 * mib, 100 * mib, reclaim.No},
		"no room for sort files":         {71 * mib, 4 * mib, reclaim.No},
		"sort files between the bounds":  {71 * mib, 30 * mib, reclaim.Unsure},
		"neither: the worse answer wins": {60 * mib, 4 * mib, reclaim.No},
	} {
		t.Run(name, func(t *testing.T) {
			tab := table("t", 30*mib, 40*mib, 50*mib)
			tab.Indexes = []int64{20 * mib, 10 * mib, 1000}
			steps := reclaim.Tables([]reclaim.Table{tab}, reclaim.Server{TmpMount: "/tmp", SortBuffer: mib})
			if got := reclaim.Rank(steps, mounts(c.data, c.tmp), 0).Steps[0].Fits; got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func TestAMountThatNobodyLookedAtIsUnknown(t *testing.T) {
	tab := table("t", 30*mib, 40*mib, 50*mib)
	tab.Mounts = []string{"/elsewhere"}
	if got := reclaim.Rank(reclaim.Tables([]reclaim.Table{tab}, reclaim.Server{}), mounts(1<<40, 1<<40), 0).Steps[0].Fits; got != reclaim.Unasked {
		t.Error(got)
	}
}

func TestRankingWeighsRiskAndPutsWhatIsBlockedLast(t *testing.T) {
	online, copied, shared := table("online", 10*mib, 10*mib, 10*mib), table("copied", 39*mib, 39*mib, 39*mib), table("shared", 90*mib, 90*mib, 90*mib)
	copied.Method, shared.Place = "copy", reclaim.GeneralTablespace
	steps := reclaim.Tables([]reclaim.Table{shared, copied, online}, reclaim.Server{})
	steps = append(steps, reclaim.Undo{Files: []reclaim.UndoFile{{File: "undo_001", Bytes: 19 * mib}, {File: "undo_002", Bytes: 16 * mib}}}.Plan()...)
	var names []string
	for _, s := range reclaim.Rank(steps, mounts(1<<40, 1<<40), 0).Steps {
		names = append(names, s.Name())
	}
	if diff := cmp.Diff([]string{"undo_001", "shop.online", "shop.copied", "shop.shared"}, names); diff != "" {
		// 3 MiB of low risk, 10/4, 39/16, and last what is blocked.
		t.Error(diff)
	}
}

func TestStatementsRefuseInsteadOfLockingAndQuoteNames(t *testing.T) {
	online := table("a`b", 1, 1, 1)
	copied := table("c", 1, 1, 1)
	copied.Method = "copy"
	part := table("d", 1, 1, 1)
	part.Partitions = []space.Item{{Partition: "p0/p0sp1", ReclaimableBytes: new(int64(9))}, {Partition: "p0/p0sp2", ReclaimableBytes: new(int64(8))}}
	full := table("e", 1, 1, 1)
	full.Fulltext = true
	place := table("f", 1, 1, 1)
	place.Spatial = true
	if got := reclaim.Tables([]reclaim.Table{part}, reclaim.Server{})[0].Commands[1].Text; strings.Count(got, "REBUILD PARTITION `p0`;") != 1 {
		t.Errorf("a partition is to be rebuilt once: %s", got)
	}
	for _, c := range []struct {
		table reclaim.Table
		want  string
	}{
		{online, "ALTER TABLE `shop`.`a``b` FORCE, ALGORITHM=INPLACE, LOCK=NONE;"},
		{copied, "ALTER TABLE `shop`.`c` FORCE, ALGORITHM=COPY, LOCK=SHARED;"},
		{full, "ALTER TABLE `shop`.`e` FORCE, ALGORITHM=COPY, LOCK=SHARED;"},
		{place, "ALTER TABLE `shop`.`f` FORCE, ALGORITHM=INPLACE, LOCK=SHARED;"},
		{part, "ALTER TABLE `shop`.`d` FORCE, ALGORITHM=INPLACE, LOCK=NONE;"},
	} {
		step := reclaim.Tables([]reclaim.Table{c.table}, reclaim.Server{})[0]
		if got := step.Commands[0].Text; !strings.HasSuffix(got, c.want) {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
}

func TestOnlineToolsAreOfferedOnlyWhereTheyRun(t *testing.T) {
	server := reclaim.Server{Uses: reclaim.Uses{RowBinlog: true}}
	for name, c := range map[string]struct {
		change func(*reclaim.Table, *reclaim.Server)
		want   []string
	}{
		"plain":             {func(*reclaim.Table, *reclaim.Server) {}, []string{"sql", "gh-ost", "pt-online-schema-change"}},
		"system-versioned":  {func(t *reclaim.Table, _ *reclaim.Server) { t.Versioned = true }, []string{"sql"}},
		"the server's own":  {func(t *reclaim.Table, _ *reclaim.Server) { t.Schema = "mysql" }, []string{"sql"}},
		"foreign keys":      {func(t *reclaim.Table, _ *reclaim.Server) { t.ForeignKeys = true }, []string{"sql", "pt-online-schema-change"}},
		"triggers":          {func(t *reclaim.Table, _ *reclaim.Server) { t.Triggers = true }, []string{"sql"}},
		"no key":            {func(t *reclaim.Table, _ *reclaim.Server) { t.UniqueKey = false }, []string{"sql"}},
		"not known":         {func(t *reclaim.Table, _ *reclaim.Server) { t.Known = false }, []string{"sql"}},
		"statement binlog":  {func(_ *reclaim.Table, s *reclaim.Server) { s.Uses.RowBinlog = false }, []string{"sql", "pt-online-schema-change"}},
		"a comma in a name": {func(t *reclaim.Table, _ *reclaim.Server) { t.Schema = "a,b" }, []string{"sql", "gh-ost"}},
		"galera":            {func(_ *reclaim.Table, s *reclaim.Server) { s.Galera = true }, []string{"sql", "pt-online-schema-change"}},
	} {
		t.Run(name, func(t *testing.T) {
			tab, s := table("t", 1, 1, 1), server
			c.change(&tab, &s)
			var tools []string
			for _, command := range reclaim.Tables([]reclaim.Table{tab}, s)[0].Commands {
				tools = append(tools, command.Tool)
			}
			if diff := cmp.Diff(c.want, tools); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBinaryLogsAreNeverPurgedPastTheSlowestReplica(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	var logs []reclaim.Binlog
	for i, name := range []string{"bin.000001", "bin.000002", "bin.000003", "bin.000004", "bin.000005"} {
		logs = append(logs, reclaim.Binlog{Name: name, Bytes: 10, Modified: now.AddDate(0, 0, i-9)})
	}
	for name, c := range map[string]struct {
		keep     time.Duration
		replicas []reclaim.Replica
		want     string // the statement, "" for none, "blocked"
	}{
		"nobody reads":            {0, nil, "PURGE BINARY LOGS TO 'bin.000005';"},
		"the slowest of two":      {0, []reclaim.Replica{{"a", "bin.000004"}, {"b", "bin.000002"}}, "PURGE BINARY LOGS TO 'bin.000002';"},
		"one needs the first":     {0, []reclaim.Replica{{"a", "bin.000001"}}, ""},
		"one could not be asked":  {0, []reclaim.Replica{{"a", "bin.000004"}, {"b", ""}}, "blocked"},
		"one needs what is gone":  {0, []reclaim.Replica{{"a", "bin.000000"}}, "blocked"},
		"kept for seven days":     {7 * 24 * time.Hour, nil, "PURGE BINARY LOGS TO 'bin.000004';"},
		"the older of both rules": {8*24*time.Hour + time.Minute, []reclaim.Replica{{"a", "bin.000004"}}, "PURGE BINARY LOGS TO 'bin.000002';"},
	} {
		t.Run(name, func(t *testing.T) {
			steps := reclaim.Binlogs{Logs: logs, Replicas: c.replicas, Keep: c.keep, Now: now}.Plan()
			got := ""
			if len(steps) > 0 {
				got = steps[0].Commands[0].Text
				if len(steps[0].Blockers) > 0 {
					got = "blocked"
				}
			}
			if got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}

func TestLeftoversAreMovedAsideNotDeletedAndQuoted(t *testing.T) {
	l := reclaim.Leftovers{Datadir: "/var/lib/mysql", Altering: true, Files: []space.File{
		{Path: "shop/#sql-ib1's.ibd", Category: space.Orphans, Bytes: mib},
		{Path: "shop/t.ibd", Category: space.Tables, Bytes: 99 * mib},
		{Path: "ibtmp1", Category: space.Temporary, Bytes: 20 * mib},
		{Path: "/var/log/mysql/slow.log", Category: space.Logs, Bytes: 17 * mib},
		{Path: "web01.err", Category: space.Logs, Bytes: mib},
	}}
	steps := l.Plan()
	var got []string
	for _, s := range steps {
		for _, c := range s.Commands {
			got = append(got, c.Text)
		}
	}
	want := []string{
		`mv -n -- '/var/lib/mysql/shop/#sql-ib1'\''s.ibd' '/path/on/another/mount/#sql-ib1'\''s.ibd'`,
		"systemctl restart mysql",
		"mv -n -- '/var/log/mysql/slow.log' '/var/log/mysql/slow.log.1'", "FLUSH LOCAL SLOW LOGS;",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(steps[0].Blockers) == 0 {
		t.Error("an orphan beside a running ALTER is not blocked")
	}
	l.MariaDB = true
	if got := l.Plan()[1].Commands[0].Text; got != "systemctl restart mariadb" {
		t.Errorf("MariaDB: %s", got)
	}
	if steps[1].FreesBytes != 8*mib || steps[1].FreesLowBytes != 0 {
		t.Errorf("ibtmp1: %d", steps[1].FreesBytes)
	}
}

func TestAnUndoTablespaceAloneIsBlocked(t *testing.T) {
	u := reclaim.Undo{Flavour: "mariadb", Files: []reclaim.UndoFile{{File: "undo001", Bytes: 30 * mib}}, MaxBytes: 10 * mib}
	steps := u.Plan()
	if len(steps) != 1 || len(steps[0].Blockers) != 1 || steps[0].FreesBytes != 20*mib {
		t.Errorf("%+v", steps)
	}
	u.Files = append(u.Files, reclaim.UndoFile{File: "undo002", Bytes: 10 * mib})
	if steps = u.Plan(); len(steps) != 1 || len(steps[0].Blockers) != 0 || !slices.Contains(strings.Split(steps[0].Commands[0].Text, "\n"), "SET GLOBAL innodb_undo_log_truncate = ON;") {
		t.Errorf("%+v", steps)
	}
}

// TestFullTextIndexesAreMadeAnew counts their files as room that the rebuild takes, and as gain at best.
func TestFullTextIndexesAreMadeAnew(t *testing.T) {
	words := table("words", 50*mib, 50*mib, 50*mib)
	words.Fulltext, words.Method = true, "copy"
	words.Auxiliary = []space.Item{{
		AllocatedBytes: new(int64(40 * mib)), ReclaimableBytes: new(int64(30 * mib)), ReclaimableLowBytes: new(int64(30 * mib)), ReclaimableHighBytes: new(int64(30 * mib)),
	}}
	step := reclaim.Tables([]reclaim.Table{words}, reclaim.Server{})[0]
	if step.FreesBytes != 50*mib || step.FreesLowBytes != 50*mib || step.FreesHighBytes != 80*mib {
		t.Errorf("frees %d, %d to %d", step.FreesBytes, step.FreesLowBytes, step.FreesHighBytes)
	}
	want := []reclaim.Need{{Mount: "/data", For: "the new files", Bytes: 90 * mib, LowBytes: 60 * mib, HighBytes: 90 * mib}}
	if diff := cmp.Diff(want, step.Needs); diff != "" {
		t.Error(diff)
	}
}
