package console

// The words of Fault.Kind.
const (
	FaultSilent          = "silent"           // it sends nothing
	FaultRefused         = "refused"          // the inventory does not list it, and only listed ones are taken
	FaultNotFlow         = "not_flow"         // it sends what is no flow export
	FaultNoTemplate      = "no_template"      // it sends data and not the templates to read it by
	FaultSamplingUnknown = "sampling_unknown" // it does not say how it samples
	FaultSamplingDiffers = "sampling_differs" // it says otherwise than the inventory
	FaultLost            = "lost"             // its sequence numbers have gaps
	FaultRestarts        = "restarts"         // its sequence numbers began anew
	FaultCollector       = "collector"        // the collector itself could not keep up
	FaultLimit           = "limit"            // a limit of the collector was reached
	FaultDamaged         = "damaged"          // what it sends cannot be read as it should
)

// Fault is one thing that is wrong with an exporter.
type Fault struct {
	// Kind is one of the Fault words.
	Kind string `json:"fault"`
	// Title is the fault in a few words that follow the exporter's name.
	Title string `json:"title"`
	// Problem says in words what is wrong, and how much.
	Problem string `json:"problem"`
	// Remedies are what to type, the likeliest first.
	Remedies []Remedy `json:"remedies"`
}

// faultTitle is what follows the exporter's name.
func faultTitle(kind string) string {
	return map[string]string{
		FaultSilent:          "is silent",
		FaultRefused:         "is refused, for the inventory does not list it",
		FaultNotFlow:         "sends what is no flow export",
		FaultNoTemplate:      "does not send its templates",
		FaultSamplingUnknown: "does not say how it samples",
		FaultSamplingDiffers: "samples otherwise than the inventory says",
		FaultLost:            "sends more than arrives",
		FaultRestarts:        "restarted",
		FaultCollector:       "loses flows in the collector",
		FaultLimit:           "sends more than a limit allows",
		FaultDamaged:         "sends what cannot be read",
	}[kind]
}

// Remedy is what to type in one place.
type Remedy struct {
	// Where says in words where: a platform's name, a file, a machine.
	Where string `json:"where"`
	// Platform is the router's platform as in the inventory; empty where the lines are
	// not for a router.
	Platform string `json:"platform"`
	// Lines are commands, or lines of a file. TAPWATCH in them is the name of the
	// router's exporter, sampler or template, COLLECTOR the address of the collector.
	Lines []string `json:"lines"`
}
