package innodb

import "testing"

func TestFlagsSayPageSizes(t *testing.T) {
	for raw, want := range map[uint32]struct {
		page, physical int
		extent         uint32
		full, zip      bool
	}{
		0x15:   {16 << 10, 16 << 10, 64, true, false},  // MariaDB 10.11, dynamic
		0x35:   {16 << 10, 16 << 10, 64, true, false},  // compressed pages
		0x27:   {16 << 10, 4 << 10, 64, false, true},   // ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4
		0x4021: {16 << 10, 16 << 10, 64, false, false}, // MySQL 9.7, dynamic
		0x13:   {4 << 10, 4 << 10, 256, true, false},   // innodb_page_size=4k
		0x17:   {64 << 10, 64 << 10, 64, true, false},  // innodb_page_size=64k
		0x2b:   {16 << 10, 16 << 10, 64, false, true},  // the same with 16: pages as large as ever, but compressed
		0xe7:   {4 << 10, 4 << 10, 256, false, true},   // and with 4 where innodb_page_size=4k
		0x0:    {16 << 10, 16 << 10, 64, false, false}, // REDUNDANT
	} {
		f, err := parseFlags(raw)
		if err != nil || f.PageSize != want.page || f.PhysicalSize != want.physical || f.ExtentPages() != want.extent || f.FullCRC32 != want.full || f.Compressed != want.zip {
			t.Errorf("0x%x: %+v, %v", raw, f, err)
		}
	}
	for _, raw := range []uint32{0x3c0, 0x1e | 1, 0x10} {
		if f, err := parseFlags(raw); err == nil {
			t.Errorf("0x%x is accepted: %+v", raw, f)
		}
	}
}

func TestDecodeName(t *testing.T) {
	for file, want := range map[string]string{
		"plain_1":            "plain_1",
		"a@002db":            "a-b",
		"@5e93@8ba2@5355":    "库订单",
		"t@":                 "t@",
		"t@00":               "t@00",
		"t@d800":             "t@d800",
		"#mysql50##sql-ib20": "#mysql50##sql-ib20",
	} {
		if got := DecodeName(file); got != want {
			t.Errorf("%s: %q, not %q", file, got, want)
		}
	}
}
