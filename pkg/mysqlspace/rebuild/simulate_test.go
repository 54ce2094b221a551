package rebuild_test

import (
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// leaves is a tree of one level below its root.
func leaves(n uint32) rebuild.Tree { return rebuild.Tree{Levels: []uint32{n, 1}} }

func onlyRoot() rebuild.Tree { return rebuild.Tree{Levels: []uint32{1}} }

// What mariadbd 10.11.19 left of tables after ALTER TABLE ... FORCE: pages of each index, counted in the file, and the file.
func TestAFreshRebuildHasTheSizeThatAServerLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page, physical uint32
		trees          []rebuild.Tree
		pages          int64
	}{
		"an empty table": {16384, 16384, []rebuild.Tree{{Levels: []uint32{1}, Empty: true}}, 4},
		"an empty table with three indexes": {16384, 16384, []rebuild.Tree{
			{Levels: []uint32{1}, Empty: true}, {Levels: []uint32{1}, Empty: true}, {Levels: []uint32{1}, Empty: true}, {Levels: []uint32{1}, Empty: true},
		}, 7},
		"rows that the root holds":         {16384, 16384, []rebuild.Tree{onlyRoot()}, 5},
		"single pages":                     {16384, 16384, []rebuild.Tree{leaves(26)}, 31},
		"the first extent":                 {16384, 16384, []rebuild.Tree{leaves(50)}, 128},
		"an eighth kept":                   {16384, 16384, []rebuild.Tree{leaves(498)}, 640},
		"four extents at a time":           {16384, 16384, []rebuild.Tree{{Levels: []uint32{1245, 2, 1}}}, 1472},
		"four extents kept at most":        {16384, 16384, []rebuild.Tree{{Levels: []uint32{3735, 4, 1}}}, 4096},
		"indexes one after the other":      {16384, 16384, []rebuild.Tree{{Levels: []uint32{1245, 2, 1}}, leaves(90), {Levels: []uint32{435, 2, 1}}, {Levels: []uint32{687, 7, 1}}}, 3072},
		"4K pages":                         {4096, 4096, []rebuild.Tree{{Levels: []uint32{2601, 11, 1}}, leaves(184), {Levels: []uint32{893, 17, 1}}}, 5120},
		"4K pages below an extent":         {4096, 4096, []rebuild.Tree{leaves(106), leaves(8), leaves(36)}, 157},
		"8K pages":                         {8192, 8192, []rebuild.Tree{leaves(506), leaves(37), {Levels: []uint32{176, 2, 1}}}, 1152},
		"32K pages":                        {32768, 32768, []rebuild.Tree{leaves(309), leaves(23), leaves(109)}, 576},
		"64K pages":                        {65536, 65536, []rebuild.Tree{leaves(154), leaves(12), leaves(54)}, 384},
		"compressed to 8K":                 {16384, 8192, []rebuild.Tree{leaves(559), leaves(18), leaves(87)}, 896},
		"compressed to 4K":                 {16384, 4096, []rebuild.Tree{{Levels: []uint32{1976, 6, 1}}, leaves(90), {Levels: []uint32{449, 5, 1}}}, 3328},
		"compressed to 2K, three levels":   {4096, 1024, []rebuild.Tree{{Levels: []uint32{11003, 157, 2, 1}}, {Levels: []uint32{451, 9, 1}}, {Levels: []uint32{1746, 99, 5, 1}}}, 21504},
		"compressed, small: initial pages": {16384, 4096, []rebuild.Tree{leaves(5), onlyRoot(), onlyRoot()}, 16},
		"values of four pages":             {16384, 16384, []rebuild.Tree{{Levels: []uint32{7, 1}, LOB: 8000, Values: 2000}, leaves(2)}, 8192},
		"values below a root":              {16384, 16384, []rebuild.Tree{{Levels: []uint32{1}, LOB: 400, Values: 100}, onlyRoot()}, 448},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rebuild.Simulate(rebuild.Alloc{PageSize: c.page, PhysicalSize: c.physical, MariaDB: true, Trees: c.trees})
			if want := c.pages * int64(c.physical); got != want {
				t.Errorf("%d pages, the server's file has %d", got/int64(c.physical), c.pages)
			}
		})
	}
}
