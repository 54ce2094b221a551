package sshaudit
import ("testing";"context";"os";"fmt";"runtime/pprof";"syscall";"time")
func TestZZ(t *testing.T){
 f:=os.Getenv("ZZ"); if f=="" {t.Skip()}
 if p:=os.Getenv("PROF"); p!="" { w,_:=os.Create(p); pprof.StartCPUProfile(w); defer pprof.StopCPUProfile()}
 var a,b syscall.Rusage; syscall.Getrusage(0,&a); t0:=time.Now()
 c,err:=Collect(context.Background(), Options{Logs:[]string{f}})
 if err!=nil {t.Fatal(err)}
 syscall.Getrusage(0,&b)
 d:=c.Report(ReportOptions{Top:5})
 cpu:=func(r syscall.Rusage)float64{return float64(r.Utime.Sec+r.Stime.Sec)+float64(r.Utime.Usec+r.Stime.Usec)/1e6}
 fmt.Println("wall",time.Since(t0),"cpu",cpu(b)-cpu(a),"rss MB",b.Maxrss/1024, "total",d.Failures.Total,"rows",d.Failures.Distinct,d.Failures.Detail,"logins",d.Coverage.Hosts[0].Accepted, "findings", len(d.Findings))
}
