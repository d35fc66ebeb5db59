package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tapwatch/inventory"
	"tapwatch/simulate"
)

// compareColumns stores the same flows in akvorado's columns.
func (b *bench) compareColumns(ctx context.Context) error {
	b.report.Say("\nthe same flows in akvorado's columns")
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		return err
	}
	ours, err := b.size(ctx, "flows")
	if err != nil {
		return err
	}
	columns := akvoradoColumns(inv)
	for _, set := range []struct {
		table, result string
		columns       []column
	}{
		{"akvorado_flows", "akvorado_columns", columns},
		{"akvorado_more", "akvorado_more_columns", append(columns, akvoradoMore()...)},
	} {
		theirs, err := b.storeColumns(ctx, set.table, set.columns)
		if err != nil {
			return err
		}
		b.report.Say("  %-20s %3d columns: %7.2f bytes a row, %7.2f with indexes and marks; tapwatch's take %.3f and %.3f of that", set.table, len(set.columns),
			theirs.per(theirs.Compressed), theirs.per(theirs.OnDisk),
			ours.per(ours.Compressed)/theirs.per(theirs.Compressed), ours.per(ours.OnDisk)/theirs.per(theirs.OnDisk))
		b.report.Add(set.result+"_bytes_per_flow", theirs.per(theirs.Compressed))
		b.report.Add("bytes_vs_"+set.result, ours.per(ours.Compressed)/theirs.per(theirs.Compressed))
		b.report.Add("bytes_on_disk_vs_"+set.result, ours.per(ours.OnDisk)/theirs.per(theirs.OnDisk))
		if err := b.Exec(ctx, "DROP TABLE "+set.table+" SYNC"); err != nil {
			return err
		}
	}
	return nil
}

// storeColumns makes the table, fills it from flows, merges it and gives its size.
func (b *bench) storeColumns(ctx context.Context, table string, columns []column) (size, error) {
	if err := b.Exec(ctx, createColumns(table, columns)); err != nil {
		return size{}, fmt.Errorf("create %s: %w", table, err)
	}
	if err := b.Exec(ctx, insertColumns(table, columns)); err != nil {
		return size{}, fmt.Errorf("fill %s: %w", table, err)
	}
	if err := b.optimize(ctx, table); err != nil {
		return size{}, err
	}
	s, err := b.size(ctx, table)
	if err != nil {
		return size{}, err
	}
	return s, b.printColumns(ctx, table)
}

func createColumns(table string, columns []column) string {
	var lines []string
	for _, c := range columns {
		line := "    " + c.name + " " + c.typ
		if c.codec != "" {
			line += " CODEC(" + c.codec + ")"
		}
		lines = append(lines, line)
	}
	return "CREATE TABLE " + table + "\n(\n" + strings.Join(lines, ",\n") + "\n)\n" + akvoradoEngine
}

func insertColumns(table string, columns []column) string {
	var names, expressions []string
	for _, c := range columns {
		if c.expression != "" {
			names, expressions = append(names, c.name), append(expressions, c.expression)
		}
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")\nSELECT " + strings.Join(expressions, ", ") + "\nFROM flows"
}

// exporterText is SQL for what the inventory says of the exporter of a flow.
func exporterText(inv *inventory.Inventory, of func(*inventory.Exporter) string) string {
	var from, to []string
	for i := range inv.Exporters {
		e := &inv.Exporters[i]
		from = append(from, fmt.Sprintf("'::ffff:%s'", e.Address))
		to = append(to, "'"+of(e)+"'")
	}
	return fmt.Sprintf("transform(toString(exporter), [%s], [%s], '')", strings.Join(from, ", "), strings.Join(to, ", "))
}

// interfaceRole is SQL for the role that the inventory gives to the interface of a flow.
func interfaceRole(inv *inventory.Inventory, index string) string {
	exporters := map[inventory.InterfaceRole][]string{}
	for i := range inv.Exporters {
		e := &inv.Exporters[i]
		for _, role := range e.Interfaces {
			exporters[role] = append(exporters[role], fmt.Sprintf("toIPv6('%s')", e.Address))
		}
	}
	var cases []string
	for role, of := range exporters {
		cases = append(cases, fmt.Sprintf("%s BETWEEN %d AND %d AND exporter IN (%s), '%s'", index, role.First, role.Last, strings.Join(of, ", "), role.Role))
	}
	slices.Sort(cases)
	return "multiIf(" + strings.Join(cases, ", ") + ", '')"
}
