package live

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// binlogs lists the binary logs, where the server writes any.
func (q *questions) binlogs(ctx context.Context) error {
	if !q.out.On("log_bin") {
		return nil
	}
	err := q.s.Named(ctx, "SHOW BINARY LOGS", func(row map[string]string) {
		n, _ := strconv.ParseInt(row["file_size"], 10, 64)
		q.out.Binlogs = append(q.out.Binlogs, Binlog{Name: row["log_name"], Bytes: n})
	})
	return q.hidden(err, "binary logs", "GRANT REPLICATION CLIENT ON *.* TO ... (MariaDB: BINLOG MONITOR)")
}

// replicas are those that have registered, and the threads that send binary logs to somebody.
func (q *questions) replicas(ctx context.Context) error {
	var err error
	for _, query := range []string{"SHOW REPLICAS", "SHOW SLAVE HOSTS"} {
		err = q.s.Named(ctx, query, func(row map[string]string) {
			host := row["host"]
			if host == "" {
				host = "server " + row["server_id"]
			}
			q.out.Replicas = append(q.out.Replicas, Replica{Name: host + ":" + row["port"], ID: row["server_id"]})
		})
		if !mysqlconn.IsSyntax(err) { // a refusal is not to be taken for an older server
			break
		}
	}
	if mysqlconn.IsSyntax(err) {
		err = nil
	}
	q.out.ReplicasHidden = err != nil
	return q.hidden(err, "replicas", "GRANT REPLICATION SLAVE ON *.* TO ... (MariaDB: REPLICATION MASTER ADMIN)")
}

// processes counts statements that change tables, and senders of binary logs.
//
// Without PROCESS the server shows the account's own threads alone, and says nothing of it: what others do is not known then. That
// InnoDB's tablespaces could be read, which wants the same privilege, tells.
func (q *questions) processes(ctx context.Context) error {
	if len(q.out.Tablespaces) == 0 {
		q.out.ReplicasHidden = true
		q.hide("statements of other accounts, and connected replicas that did not register", grantProcess)
		return nil
	}
	altering, senders := 0, 0
	// MySQL makes a temporary table on the disk of information_schema.PROCESSLIST: a write.
	err := q.s.Named(ctx, "SHOW FULL PROCESSLIST", func(row map[string]string) {
		if strings.HasPrefix(row["command"], "Binlog Dump") {
			senders++
		}
		if alters.MatchString(row["info"]) {
			altering++
		}
	})
	if err != nil {
		return q.hidden(err, "running statements", grantProcess)
	}
	q.out.Altering = &altering
	for i := len(q.out.Replicas); i < senders; i++ {
		q.out.Replicas = append(q.out.Replicas, Replica{Name: "one that did not register"})
	}
	return nil
}

var alters = regexp.MustCompile(`(?i)^\s*(/\*.*?\*/\s*)?(alter|optimize|create\s+(unique\s+|fulltext\s+|spatial\s+)?index|drop\s+index|truncate)\b`)

// undo is how far purge is behind.
func (q *questions) undo(ctx context.Context) error {
	err := q.s.Each(ctx, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'", func(row func(...any) error) error {
		return row(&q.out.History)
	})
	return q.hidden(err, "how far purge is behind", grantProcess)
}

// Position is what a replica says of its source.
type Position struct {
	// Log is the source's binary log that its SQL thread reads: it still needs that and all later ones.
	Log string
	// Source is the server_id of its source, as text, and Replica its own.
	Source, Replica string
}

// Positions asks a replica about its sources; none where it has no source.
func Positions(ctx context.Context, s Session) (all []Position, err error) {
	var own string
	if err := s.Each(ctx, "SELECT @@GLOBAL.server_id", func(row func(...any) error) error { return row(&own) }); err != nil {
		return nil, err
	}
	for _, query := range []string{"SHOW REPLICA STATUS", "SHOW SLAVE STATUS"} {
		err = s.Named(ctx, query, func(row map[string]string) {
			all = append(all, Position{
				Log:    row["relay_source_log_file"] + row["relay_master_log_file"],
				Source: row["source_server_id"] + row["master_server_id"], Replica: own,
			})
		})
		if !mysqlconn.IsSyntax(err) {
			break
		}
	}
	return all, err
}
