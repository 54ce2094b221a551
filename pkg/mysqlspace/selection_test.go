package mysqlspace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

var now = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func sample() *space.Report {
	part := func(name string, total int64, fill float64) space.Item {
		return space.Item{
			Schema: "shop", Table: "orders", Partition: name, Engine: "InnoDB", TotalBytes: &total, DataBytes: &total, Fill: &fill,
			ReclaimableBytes: new(total / 2), Source: space.FromFile, AsOf: now,
		}
	}
	return &space.Report{Items: []space.Item{
		part("p0", 100, 0.5), part("p1", 300, 0.9),
		{Schema: "shop", Table: "notes", Engine: "MyISAM", TotalBytes: new(int64(700)), Source: space.FromEngine, AsOf: now.Add(-time.Hour), Notes: []string{"x"}},
		{Schema: "logs", Table: "l", Engine: "InnoDB", Rows: new(int64(3)), FileBytes: new(int64(50)), Source: space.FromServer, AsOf: now},
		{Schema: "logs", Table: "view"},
	}}
}

func names(r *space.Report) []string {
	var all []string
	for i := range r.Items {
		all = append(all, r.Items[i].Name())
	}
	return all
}

func TestSelections(t *testing.T) {
	for what, c := range map[string]struct {
		s    mysqlspace.Selection
		want []string
		all  int
	}{
		"tables, the largest first":     {mysqlspace.Selection{}, []string{"shop.notes", "shop.orders", "logs.l", "logs.view"}, 4},
		"partitions":                    {mysqlspace.Selection{By: "partition"}, []string{"shop.notes", "shop.orders.p1", "shop.orders.p0", "logs.l", "logs.view"}, 5},
		"schemas":                       {mysqlspace.Selection{By: "schema"}, []string{"shop", "logs"}, 2},
		"the server":                    {mysqlspace.Selection{By: "server"}, []string{""}, 1},
		"the two largest":               {mysqlspace.Selection{Top: 2}, []string{"shop.notes", "shop.orders"}, 4},
		"of a least size":               {mysqlspace.Selection{MinSize: 400}, []string{"shop.notes", "shop.orders"}, 4},
		"of a schema":                   {mysqlspace.Selection{Schema: "logs"}, []string{"logs.l", "logs.view"}, 2},
		"tables of a pattern":           {mysqlspace.Selection{Schema: "l*s", Table: "*i*"}, []string{"logs.view"}, 1},
		"no SQL wildcards":              {mysqlspace.Selection{Schema: "shop", Table: "o_ders"}, nil, 0},
		"one table":                     {mysqlspace.Selection{Table: "orders"}, []string{"shop.orders"}, 1},
		"by what a rebuild gives back":  {mysqlspace.Selection{Sort: "reclaimable", Top: 1}, []string{"shop.orders"}, 4},
		"by data, what is unknown last": {mysqlspace.Selection{Sort: "data"}, []string{"shop.orders", "logs.l", "logs.view", "shop.notes"}, 4},
	} {
		t.Run(what, func(t *testing.T) {
			r := sample()
			if err := c.s.Check(); err != nil {
				t.Fatal(err)
			}
			c.s.Apply(r)
			if diff := cmp.Diff(c.want, names(r)); diff != "" || r.Shown != c.all {
				t.Errorf("%d in all\n%s", r.Shown, diff)
			}
		})
	}
}

func TestSumsKeepWhatIsNotKnown(t *testing.T) {
	r := sample()
	(&mysqlspace.Selection{}).Apply(r)
	want := space.Item{
		Schema: "shop", Table: "orders", Engine: "InnoDB", TotalBytes: new(int64(400)), DataBytes: new(int64(400)), Fill: new(0.8),
		ReclaimableBytes: new(int64(200)), Source: space.FromFile, AsOf: now,
	}
	if diff := cmp.Diff(want, r.Items[1]); diff != "" {
		t.Error(diff)
	}
	if r.Items[0].Notes == nil || r.Total.Engine != "InnoDB,MyISAM" || *r.Total.TotalBytes != 1100 || *r.Total.FileBytes != 50 ||
		r.Total.Source != space.FromServer || !r.Total.AsOf.Equal(now.Add(-time.Hour)) || r.Total.IndexBytes != nil {
		t.Errorf("%+v", r.Total)
	}
}

func TestSumsOfProvenance(t *testing.T) {
	old := space.Provenance{Source: space.FromStatistics, AsOf: now.Add(-time.Hour)}
	items := []space.Item{
		{Figures: map[string]space.Provenance{"rows": {Source: space.FromServer, AsOf: now}}},
		{Figures: map[string]space.Provenance{"rows": old, "fill": {Source: space.FromSample, AsOf: now}}},
	}
	want := map[string]space.Provenance{"rows": old, "fill": {Source: space.FromSample, AsOf: now}}
	if diff := cmp.Diff(want, space.Total(items, "", "", "").Figures); diff != "" {
		t.Error(diff)
	}
}

func TestWrongSelections(t *testing.T) {
	for _, s := range []mysqlspace.Selection{{By: "tables"}, {Sort: "rows"}, {Top: -1}} {
		if s.Check() == nil {
			t.Errorf("%+v passes", s)
		}
	}
}
