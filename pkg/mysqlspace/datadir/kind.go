package datadir

import (
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Kind is what reads a file: finer than its category.
type Kind uint8

// The kinds that something is read from; all else is Other.
const (
	Other       Kind = iota
	Folder           // a directory
	Tablespace       // an InnoDB tablespace of a table or partition
	General          // an InnoDB tablespace that CREATE TABLESPACE made, or the first file of the system tablespace
	SystemFirst      // ibdata1 and its like, where its dictionary begins
	MyISAMData       // .MYD
	MyISAMIndex      // .MYI
	AriaData         // .MAD
	AriaIndex        // .MAI
	CSVData          // .CSV
	ArchiveData      // .ARZ
	FRM              // .frm: a table's definition before MySQL 8
	SDI              // .sdi: MySQL's definition of a table of another engine
	Link             // .isl: where a tablespace is
	BinlogIndex      // names binary or relay logs, a line each
	Binlog
)

// class is what a name promises.
type class struct {
	category space.Category
	kind     Kind
	why      string
	check    check
}

// rules know files by name: whole, by extension, by a prefix before digits.
type rules struct {
	exact    map[string]class
	ext      map[string]class
	numbered []numbered
}

// numbered is a name of a prefix, at least so many digits, and a suffix.
type numbered struct {
	prefix string
	digits int
	suffix string
	class  class
}

func (n numbered) match(name string) bool {
	rest, ok := strings.CutPrefix(name, n.prefix)
	if !ok {
		return false
	}
	rest, ok = strings.CutSuffix(rest, n.suffix)
	return ok && len(rest) >= n.digits && onlyDigits(rest)
}

func onlyDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// of is what the rules say of a name.
func (r *rules) of(name string) (class, bool) {
	if c, ok := r.exact[name]; ok {
		return c, true
	}
	for _, n := range r.numbered {
		if n.match(name) {
			return n.class, true
		}
	}
	if ext := path.Ext(name); ext != "" && ext != name {
		c, ok := r.ext[ext]
		return c, ok
	}
	return class{}, false
}

// topRules are for files of the data folder itself; innodb/log/log0log.h, srv0srv.h, buf0dblwr.h and sql/log.cc name them.
func topRules() *rules {
	system := class{category: space.SystemTablespace, why: "system tablespace"}
	first := class{space.SystemTablespace, SystemFirst, "system tablespace", isTablespace}
	redo := class{category: space.Redo, why: "redo log"}
	undo := class{space.Undo, Other, "undo tablespace", isTablespace}
	temp := class{category: space.Temporary, why: "temporary tablespace"}
	dblwr := class{category: space.Doublewrite, why: "doublewrite buffer"}
	r := &rules{
		exact: map[string]class{
			"mysql.ibd":      {space.SystemTablespace, General, "dictionary and system tables", isTablespace},
			"ib_doublewrite": dblwr,
			"aria_log_control": {
				space.Metadata, Other, "Aria's log control file",
				isMagic("is no control file of Aria", "\xfe\xfe\x0c"),
			},
			"ib_buffer_pool": {space.Metadata, Other, "pages of the buffer pool, to load them again", isBufferPool},
			"auto.cnf":       {space.Metadata, Other, "the server's UUID", isText},
			"tc.log":         {category: space.Metadata, why: "transaction coordinator's log"},
		},
		ext: map[string]class{
			".ibd": {space.Tables, General, "general tablespace", isTablespace},
			".ibu": undo,
			".err": {space.Logs, Other, "error log", isErrorLog},
			".log": {space.Logs, Other, "log", isServerLog},
			".pid": {space.Metadata, Other, "process id", isPID},
			".pem": {space.Metadata, Other, "key or certificate", isPEM},
			".ibb": {space.BinaryLogs, Binlog, "binary log", nil},
		},
		numbered: []numbered{
			{"ibdata", 1, "", system},
			{"ib_logfile", 1, "", redo},
			{"undo_", 3, "", undo},
			{"undo", 3, "", undo},
			{"ibtmp", 1, "", temp},
			{"#ib_", 1, ".dblwr", dblwr},
			{"#ib_", 1, ".bdblwr", dblwr},
			{"aria_log.", 8, "", class{space.OtherEngines, Other, "Aria's log", isMagic("is no log of Aria", "\xfe\xfe\x0b")}},
			{"gcache.page.", 6, "", class{category: space.OtherEngines, why: "Galera's write sets"}},
			{"worker-relay-log.info.", 1, "", metadata("replica's position")},
		},
	}
	r.exact["ibdata1"] = first
	for _, size := range []string{"4096", "8192", "16384", "32768", "65536"} { // MySQL's name them after the size of a page
		for _, ext := range []string{".dblwr", ".bdblwr"} {
			r.numbered = append(r.numbered, numbered{"#ib_" + size + "_", 1, ext, dblwr})
		}
	}
	addMetadata(r.exact)
	return r
}

func metadata(why string) class { return class{category: space.Metadata, why: why} }

// addMetadata adds the small files that servers, their packages and backup programs keep beside the data.
func addMetadata(exact map[string]class) {
	for why, names := range map[string]string{
		"definitions that a crash interrupted": "ddl_recovery.log ddl_recovery-backup.log ddl_log.log",
		"replica's position":                   "master.info relay-log.info multi-master.info",
		"settings of SET PERSIST":              "mysqld-auto.cnf mysqld-auto.cnf.backup",
		"version of the last upgrade":          "mysql_upgrade_info mariadb_upgrade_info mysql_upgrade_history",
		"Galera's state":                       "grastate.dat gvwstate.dat sst_in_progress wsrep_sst.pid",
		"written by a backup": "xtrabackup_info xtrabackup_checkpoints xtrabackup_binlog_info xtrabackup_slave_info xtrabackup_galera_info " +
			"xtrabackup_logfile xtrabackup_binlog_pos_innodb xtrabackup_tablespaces xtrabackup_master_key_id backup-my.cnf mariadb_backup_info " +
			"mariadb_backup_checkpoints mariadb_backup_binlog_info mariadb_backup_slave_info mariadb_backup_galera_info",
		"keys of encryption":     "keyring component_keyring_file component_keyring_encrypted_file",
		"settings of components": "mysqld.my component_keyring_file.cnf component_keyring_encrypted_file.cnf",
		"written while it dumps": "ib_buffer_pool.incomplete",
		"lock of a socket":       "mysql.sock.lock mysqlx.sock.lock mysqld.sock.lock",
	} {
		for name := range strings.FieldsSeq(names) {
			exact[name] = metadata(why)
		}
	}
	exact["galera.cache"] = class{category: space.OtherEngines, why: "Galera's write sets"}
}

// schemaRules are for files of a schema's folder; sql/handler and each engine name them.
func schemaRules() *rules {
	return &rules{
		exact: map[string]class{"db.opt": {space.Metadata, Other, "a schema's character set", isText}},
		ext: map[string]class{
			".ibd": {space.Tables, Tablespace, "", isTablespace},
			".frm": {space.Metadata, FRM, "definition", isFRM},
			".par": {space.Metadata, Other, "partitions", isPartitions},
			".isl": {space.Metadata, Link, "where a tablespace is", isText},
			".sdi": {space.Metadata, SDI, "definition", isJSON},
			".cfg": metadata("a tablespace's definition, for import"),
			".cfp": metadata("a tablespace's key, for import"),
			".TRG": {space.Metadata, Other, "triggers", isText},
			".TRN": {space.Metadata, Other, "trigger's table", isText},
			".opt": {space.Metadata, Other, "options", isText},
			".MYI": {space.OtherEngines, MyISAMIndex, "MyISAM indexes", isMagic("is no MyISAM file", "\xfe\xfe\x07")},
			".MYD": {space.OtherEngines, MyISAMData, "MyISAM data", besides(".MYI")},
			".MAI": {space.OtherEngines, AriaIndex, "Aria indexes", isMagic("is no Aria file", "\xfe\xfe\x09")},
			".MAD": {space.OtherEngines, AriaData, "Aria data", besides(".MAI")},
			".CSV": {space.OtherEngines, CSVData, "CSV data", besides(".CSM")},
			".CSM": {space.OtherEngines, Other, "CSV's state", nil},
			".ARZ": {space.OtherEngines, ArchiveData, "ARCHIVE data", isArchive},
			".ARM": {space.OtherEngines, Other, "ARCHIVE's state", nil},
			".MRG": {space.OtherEngines, Other, "MERGE's tables", isText},
			".TMD": {space.Temporary, Other, "MyISAM's data while it is repaired", nil},
			".TMM": {space.Temporary, Other, "MyISAM's indexes while they are repaired", nil},
		},
	}
}

// folderRules are for the special folders by their name.
func folderRules() map[string]*rules {
	temp := class{category: space.Temporary, why: "temporary tablespace"}
	redo := class{category: space.Redo, why: "redo log"}
	rocks := class{category: space.OtherEngines, why: "RocksDB"}
	rocksdb := &rules{
		ext: map[string]class{".sst": rocks, ".log": rocks},
		exact: map[string]class{
			"CURRENT": rocks, "IDENTITY": rocks, "LOCK": rocks, "LOG": rocks,
		},
		numbered: []numbered{{"MANIFEST-", 1, "", rocks}, {"OPTIONS-", 1, "", rocks}, {"LOG.old.", 1, "", rocks}},
	}
	clone := metadata("progress of a clone")
	return map[string]*rules{
		"#innodb_temp": {numbered: []numbered{{"temp_", 1, ".ibt", temp}}},
		"#innodb_redo": {numbered: []numbered{{"#ib_redo", 1, "", redo}, {"#ib_redo", 1, "_tmp", redo}, {"#ib_redo", 1, "_decr", redo}}},
		"#rocksdb":     rocksdb,
		".rocksdb":     rocksdb,
		"#clone": {exact: map[string]class{
			"#view_status": clone, "#view_progress": clone, "#status_fix": clone, "#new_files": clone, "#replace_files": clone,
			"#old_files": clone, "#ddl_files": clone, "#backup_done": clone,
		}},
	}
}
