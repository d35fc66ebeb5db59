package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
	"tapwatch/detect/transfer"
)

const second = time.Second

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: dt.At(0), To: dt.At(60 * second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(dt.Sized(dt.PE1, dt.Archive, 22, 900_000, 30_000)...)
			s.Flows(dt.Sized(dt.PE1, dt.Licences, 443, 30_000, 9000)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(dt.Sized(dt.PE1, dt.Outside, 22, 900_000, 30_000)...)
			s.Flows(tftp(dt.PE2, dt.CoreHost, 40_000)...)
			s.Flows(read(dt.P1, dt.Outside2, 50_000)...)
		},
	})
}

// tftp is a file that a device sends by TFTP: the request, and the data between other
// ports, which ends and is exported 15 s later.
func tftp(device, server string, bytes uint64) []dt.Flow {
	request := dt.Flow{At: dt.At(5 * second), Begin: dt.At(second), Src: device, Dst: server, SrcPort: 51000, DstPort: 69, Protocol: 17, Packets: 1, Bytes: 60}
	data := dt.Flow{At: dt.At(22 * second), Begin: dt.At(1100 * time.Millisecond), Src: device, Dst: server, SrcPort: 51000, DstPort: 43210, Protocol: 17, Packets: bytes/540 + 1, Bytes: bytes}
	return []dt.Flow{request, data, data.Back(bytes/540+1, (bytes/540+1)*32)}
}

// read is a file that somebody fetches from a device by TFTP.
func read(device, client string, bytes uint64) []dt.Flow {
	request := dt.Flow{At: dt.At(5 * second), Begin: dt.At(second), Src: client, Dst: device, SrcPort: 52000, DstPort: 69, Protocol: 17, Packets: 1, Bytes: 60}
	data := dt.Flow{At: dt.At(22 * second), Begin: dt.At(1100 * time.Millisecond), Src: device, Dst: client, SrcPort: 47000, DstPort: 52000, Protocol: 17, Packets: bytes/540 + 1, Bytes: bytes}
	return []dt.Flow{request, data, data.Back(bytes/540+1, (bytes/540+1)*32)}
}

// parts is a session that is exported in parts of so many bytes, 10 s apart.
func parts(src, dst string, port uint16, each ...uint64) []dt.Flow {
	var all []dt.Flow
	for i, n := range each {
		all = append(all, dt.Later(time.Duration(i)*10*second, dt.Sized(src, dst, port, n, 1000))...)
		for j := len(all) - 2; j < len(all); j++ {
			all[j].Begin = dt.At(second)
		}
	}
	return all
}

func TestScenarios(t *testing.T) {
	place := " (RU, AS64500 Example Hosting)"
	// FTP in its passive mode, and in its active one, where the server opens the data.
	passive := append(dt.Sized(dt.PE1, dt.Outside, 21, 900, 1500), dt.Ports(dt.Sized(dt.PE1, dt.Outside, 1, 60_000, 2000), 45001, 50123)...)
	active := append(dt.Sized(dt.PE1, dt.Outside, 21, 900, 1500), dt.Ports(dt.Sized(dt.Outside, dt.PE1, 1, 2000, 60_000), 20, 45001)...)
	fetch := dt.Sized(dt.PE1, dt.Outside, 443, 0, 30_000_000)
	fetch[0].Packets, fetch[0].Bytes = 10_000, 520_000 // acknowledgements alone
	licence := dt.Sized(dt.PE1, dt.Outside, 443, 12_000, 40_000)
	sampled := dt.Blind(dt.Sized(dt.PE1, dt.Outside, 22, 1, 1))
	for i := range sampled {
		sampled[i].Packets, sampled[i].Bytes = 1, 1400
	}
	few := dt.Blind(dt.Sized(dt.PE1, dt.Outside, 22, 1, 1))
	for i := range few {
		few[i].Packets, few[i].Bytes, few[i].Sampling = 1, 200, 100
	}
	late := tftp(dt.PE1, dt.Outside, 40_000)
	for i := range late[1:] {
		late[1+i].Begin = dt.At(3 * time.Minute)
	}
	dt.Scenarios(t, open(t), detector(t),
		dt.Case("a backup to the archive", dt.Sized(dt.PE1, dt.Archive, 22, 900_000, 30_000)),
		dt.Case("what a rule allows", dt.Sized(dt.PE1, dt.Licences, 443, 30_000, 9000)),
		dt.Case("sftp to the outside", dt.Sized(dt.PE1, dt.Outside, 22, 11_000, 4000),
			"critical: pe1.east sent 11 kB by SSH (tcp/22) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("a little less", dt.Sized(dt.PE1, dt.Outside, 22, 9000, 4000)),
		dt.Case("https to a host inside", dt.Sized(dt.PE1, dt.CoreHost, 443, 500_000, 9000),
			"high: pe1.east sent 500 kB by HTTPS (tcp/443) to 10.40.7.7 (core-east), which is no archive"),
		dt.Case("of a firewall in the core", dt.Sized(dt.Firewall, dt.Outside, 443, 500_000, 9000),
			"critical: fw1.east sent 500 kB by HTTPS (tcp/443) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("the device is read from: ssh into it", dt.Sized(dt.Outside, dt.PE1, 22, 4000, 900_000)),
		dt.Case("from device to device", dt.Sized(dt.PE1, dt.PE2, 22, 900_000, 4000)),
		dt.Case("a core system is no device", dt.Sized(dt.HSS, dt.Outside, 22, 900_000, 4000)),
		dt.Case("an image is fetched: acknowledgements go out", fetch),
		dt.Case("a licence is fetched", licence,
			"medium: pe1.east sent 12 kB by HTTPS (tcp/443) to 203.0.113.66"+place+", which is no archive"),
		dt.Long("in parts that are small each", parts(dt.PE1, dt.Outside, 22, 4000, 4000, 4000),
			"critical: pe1.east sent 12 kB by SSH (tcp/22) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("one sampled packet that stands for much", sampled,
			"high: pe1.east sent 140 kB by SSH (tcp/22) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("one small sampled packet that need not", few,
			"high: pe1.east sent 20 kB by SSH (tcp/22) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("ftp, passive", passive,
			"critical: pe1.east sent 60 kB by FTP (tcp/21) to 203.0.113.66"+place+", which is no archive"),
		dt.Case("ftp, active", active,
			"critical: pe1.east sent 60 kB by FTP data (tcp/20) to 203.0.113.66"+place+", which is no archive"),
		dt.Long("tftp to the outside", tftp(dt.PE1, dt.Outside, 40_000),
			"critical: pe1.east sent 40 kB by TFTP (udp/69) to 203.0.113.66"+place+", which is no archive"),
		dt.Long("tftp to the server of upgrades", tftp(dt.PE1, "10.20.0.50", 40_000)),
		dt.Long("a small file by tftp", tftp(dt.PE1, dt.Outside, 4000)),
		dt.Long("an image is fetched by tftp", read(dt.CoreHost, dt.PE1, 40_000)),
		dt.Long("other traffic long after a request", late),
		dt.Long("traffic between the same ports without a request", tftp(dt.PE1, dt.Outside, 40_000)[1:]),
		dt.Long("a configuration is read out by tftp", read(dt.PE1, dt.Outside, 40_000),
			"critical: 203.0.113.66"+place+" read 40 kB out of pe1.east by TFTP (udp/69)"),
	)
}

// TestDataBeforeItsRequest: the data may be exported before the request it belongs to,
// by a router with a shorter timeout.
func TestDataBeforeItsRequest(t *testing.T) {
	stage := open(t)
	flows := tftp(dt.PE1, dt.Outside, 40_000)
	flows[0].At = dt.At(35 * second)
	stage.Flows(flows...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(60*second))
	if len(found) != 1 || !found[0].WindowStart.Equal(dt.At(30*second)) {
		t.Errorf("found %q, want one in the window of the request", detecttest.Titles(found))
	}
}

// TestOneAlert: a transfer that lasts is one alert, and tells what was sent so far.
func TestOneAlert(t *testing.T) {
	stage := open(t)
	stage.Flows(parts(dt.PE1, dt.Outside, 22, 20_000, 30_000, 50_000)...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(60*second))
	if len(found) != 3 || found[0].ID != found[2].ID {
		t.Fatalf("found %q, want three findings of one alert", detecttest.Titles(found))
	}
	if want := "100 kB sent in the window and the 5 minutes before it"; !strings.HasPrefix(found[2].Reasons[0], want) {
		t.Errorf("the last finding says %q, want %q", found[2].Reasons[0], want)
	}
	if got := found[2].Measures[0].Observed; got != 100_000 {
		t.Errorf("measured %v bytes, want 100000", got)
	}
}

// TestManyFold: one device that sends to many places is one alert.
func TestManyFold(t *testing.T) {
	stage := open(t)
	var flows []dt.Flow
	for i := range 40 {
		flows = append(flows, dt.Sized(dt.PE1, fmt.Sprintf("198.18.0.%d", i+1), 443, 20_000, 3000)...)
	}
	stage.Flows(flows...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(10*second))
	if len(found) != 1 || !strings.Contains(found[0].Title, "sent 800 kB by HTTPS (tcp/443) to 198.18.0.1 and 39 other addresses") {
		t.Errorf("found %q, want one", detecttest.Titles(found))
	}
}

func TestConfig(t *testing.T) {
	good := transfer.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := transfer.Config{Link: time.Hour}
	want := "services: is empty: name the inventory's service that devices may send files to, such as archive\nbytes: is 0: any byte would count\nlink: 1h0m0s does not do: use 0s to 5m0s\nmax_alerts: 0 is below 1"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
