package scrape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/scrape"
)

// TestAliasesOfAliasesEnd reads files that would be of a size beyond any machine with their aliases written out.
func TestAliasesOfAliasesEnd(t *testing.T) {
	var merges, lists strings.Builder
	merges.WriteString("x0: &x0 {kubernetes_sd_configs: []}\n")
	lists.WriteString("x0: &x0 {targets: [a:1]}\n")
	for i := 1; i < 30; i++ {
		alias := fmt.Sprintf("*x%d, ", i-1)
		fmt.Fprintf(&merges, "x%d: &x%d {<<: [%s]}\n", i, i, strings.Repeat(alias, 20))
		fmt.Fprintf(&lists, "x%d: &x%d [%s]\n", i, i, strings.Repeat(alias, 20))
	}
	merges.WriteString("scrape_configs: [{job_name: a, <<: *x29}]\n")
	jobs := mustJobs(t, []byte(merges.String()))
	if len(jobs) != 1 || fmt.Sprint(jobs[0].Discovery) != "[kubernetes]" {
		t.Errorf("%+v", jobs)
	}
	lists.WriteString("scrape_configs: [{job_name: a, static_configs: *x29}]\n")
	if _, err := scrape.Add("f", []byte(lists.String()), scrape.Job{Name: "new", Targets: []string{"a:1"}}); err != nil {
		t.Error(err)
	}
	wide := "g: &g {targets: [" + strings.Repeat("a:1, ", 2000) + "]}\ns: &s [" + strings.Repeat("*g, ", 2000) + "]\nscrape_configs: [{job_name: a, static_configs: *s}]\n"
	if _, err := scrape.Jobs("f", []byte(wide)); err == nil || !strings.Contains(err.Error(), "f:3: more than") {
		t.Errorf("got %v", err)
	}
}
