// The table of exporters: what each sends, in words what is wrong, and what to type.

import { h } from './dom.js'
import { ago, bytes, count, plural, rate, utc } from './format.js'
import { setUp, telemetry } from './overview.js'

export function exportersView(answer) {
  if (answer.exporters.length === 0) {
    return h('div', { class: 'empty wide' }, h('h1', {}, 'No exporter has sent anything yet'), setUp(answer.collector))
  }
  return h('div', {},
    h('h1', {}, 'Exporters'),
    h('p', { class: 'summary' }, telemetry(answer.exporters)),
    h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, head('Status'), head('Exporter'), head('Site'), head('Protocols'), head('Records/s', true),
        head('Datagrams/s', true), head('Traffic', true), head('Last heard'), head('Sampling'), head('Templates', true), head('Dropped (1 h)', true), head('Lost (1 h)', true))),
      answer.exporters.map(rows))))
}

// unfolded holds which remedies are open, for the table is made anew every few seconds.
const unfolded = new Set()

const head = (text, number) => h('th', { scope: 'col', class: number ? 'number' : null }, text)

function rows(e) {
  const dropped = Object.values(e.dropped).reduce((a, b) => a + b, 0)
  const number = (value, title) => h('td', { class: 'number', title }, value)
  return h('tbody', { class: e.status, 'data-exporter': e.address },
    h('tr', {},
      h('td', {}, h('span', { class: `status ${e.status}` }, e.status)),
      h('th', { scope: 'row' }, h('strong', {}, e.name || e.address), e.name && h('span', { class: 'addr' }, e.address)),
      h('td', {}, e.site || (e.listed ? '' : h('span', { class: 'dim' }, 'not listed'))),
      h('td', {}, e.protocols.join(', ')),
      number(rate(e.records_per_second)),
      number(rate(e.datagrams_per_second)),
      number(`${bytes(e.bytes_per_second)}/s`),
      h('td', {}, e.last_received_at
        ? h('time', { datetime: e.last_received_at, title: utc(e.last_received_at), 'data-age': e.last_received_at }, ago(e.last_received_at))
        : 'never'),
      h('td', {}, sampling(e)),
      number(count(e.templates)),
      number(dropped > 0 ? h('b', { class: 'lost' }, count(dropped)) : '0', Object.entries(e.dropped).map(([reason, n]) => `${reason}: ${count(n)}`).join('\n') || null),
      number(lost(e), `datagrams lost: ${count(e.lost_datagrams)}\nrecords lost: ${count(e.lost_records)}\novertaken: ${count(e.late_datagrams)}\nrestarts: ${count(e.restarts)}`)),
    e.faults.length + e.notes.length > 0 && h('tr', { class: 'words' }, h('td'),
      h('td', { colspan: '11' }, h('ul', {}, e.faults.map((f, i) => fault(f, `${e.address} ${f.fault} ${i}`)), e.notes.map((n) => h('li', { class: 'dim' }, n))))))
}

// lost is how much of what it sent did not arrive, by its sequence numbers.
function lost(e) {
  if (e.lost_records + e.lost_datagrams === 0) return '0'
  return h('b', { class: 'lost' }, e.lost_percent < 0.01 ? '<0.01 %' : `${rate(e.lost_percent)} %`)
}

// fault is what is wrong, and folded below it what to type.
function fault(f, key) {
  return h('li', {}, f.problem, f.remedies.length > 0 && h('details', {
    open: unfolded.has(key),
    ontoggle: (event) => (event.target.open ? unfolded.add(key) : unfolded.delete(key)),
  }, h('summary', {}, 'What to type'), f.remedies.map((r) => [h('h3', {}, r.where), h('pre', {}, r.lines.join('\n'))])))
}

function sampling(e) {
  if (e.sampling_intervals.length > 0) return e.sampling_intervals.map((n) => (n === 1 ? 'every packet' : `1 of ${count(n)}`)).join(', ')
  if (e.expected_sampling > 0) return `1 of ${count(e.expected_sampling)} (inventory)`
  return h('span', { class: 'dim' }, 'not told')
}

// troubled counts those that need a person, for the badge on the tab.
export function troubled(exporters) {
  const n = exporters.filter((e) => ['silent', 'problem'].includes(e.status)).length
  return n ? plural(n, 'problem') : ''
}
