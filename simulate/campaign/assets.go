package campaign

// buildCore spreads the systems of the core over the data centres. Some have a
// public address too, for roaming partners and subscribers.
func (c *carrier) buildCore() {
	// How often each role comes, in a core of 24; none is missing from any.
	plan := []struct {
		role  string
		share int
	}{
		{"hss", 2}, {"udm", 2}, {"mme", 3}, {"amf", 2}, {"smf", 3}, {"upf", 3}, {"sbc", 2}, {"cscf", 1}, {"dra", 1}, {"poi", 3}, {"cdr", 2},
	}
	for _, p := range plan {
		for range max(1, p.share*c.size.core/24) {
			z := c.core[len(c.role[p.role])%len(c.core)]
			h := c.asset(z, z.prefixes[0], p.role, c.exporters[z.edge].site)
			if p.role == "sbc" || p.role == "dra" {
				public := c.second(h, z.prefixes[1])
				c.role[p.role+"-public"] = append(c.role[p.role+"-public"], public)
			}
		}
	}
}

// buildManagement fills the management zone. Admins sit at workstations, which the
// inventory knows by their range alone, and log in through jump hosts.
func (c *carrier) buildManagement() {
	z := c.management[0]
	site := c.exporters[z.edge].site
	for _, p := range []struct {
		role string
		n    int
	}{
		{"jump", c.size.jumps}, {"nms", 2}, {"aaa", 2}, {"syslog", 1 + c.d.IntN(2)}, {"ntp", 2}, {"archive", 1}, {"collector", 1},
	} {
		for range p.n {
			c.asset(z, z.prefixes[0], p.role, site)
		}
	}
}

// buildIntercept fills the lawful-intercept site. The delivery functions have a
// second address on the handover network toward the agencies.
func (c *carrier) buildIntercept() {
	z := c.li[0]
	site := c.exporters[z.edge].site
	for _, p := range []struct {
		role  string
		share int
	}{
		{"admf", 1}, {"mdf2", 2}, {"mdf3", 2}, {"mediation", 1}, {"li-admin", 2}, {"li-ntp", 1}, {"li-dns", 1},
	} {
		for range max(1, (p.share*c.size.li+5)/10) {
			h := c.asset(z, z.prefixes[0], p.role, site)
			if p.role == "mdf2" || p.role == "mdf3" {
				public := c.second(h, z.prefixes[1])
				c.role[p.role+"-handover"] = append(c.role[p.role+"-handover"], public)
			}
		}
	}
}
