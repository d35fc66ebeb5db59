// What the right side shows while no alert is open, and what both sides say while
// there is none.

import { h } from './dom.js'
import { countryName, plural, rate } from './format.js'
import { severest } from './list.js'
import { worldMap } from './map.js'

const severities = ['critical', 'high', 'medium', 'low']

// overview sums up the alerts of the list and the exporters' answer, if it is there.
export function overview(alerts, exporters) {
  return h('div', { class: 'overview' },
    h('h1', {}, alerts.length ? 'Choose an alert to see it in full' : 'No alerts'),
    h('ul', { class: 'tiles' }, severities.map((s) => {
      const n = alerts.filter((a) => a.severity === s).length
      return h('li', { class: n ? s : 'none' }, h('strong', {}, n), h('span', {}, s))
    })),
    exporters && h('p', { class: 'summary' }, telemetry(exporters.exporters)),
    h('h2', {}, 'Where the peers of these alerts are'),
    worldMap(places(alerts)))
}

function places(alerts) {
  const found = new Map()
  for (const { peer, severity } of alerts) {
    if (!peer.country) continue
    const mark = found.get(peer.country) ?? { country: peer.country, severity, n: 0 }
    mark.severity = severest(mark.severity, severity)
    mark.n++
    found.set(peer.country, mark)
  }
  const marks = [...found.values()]
  const label = (m) => (marks.length <= 8 ? `${countryName(m.country)}${m.n > 1 ? ` (${m.n})` : ''}` : '')
  return marks.map((m) => ({ ...m, size: Math.min(12, 4 + 1.5 * Math.sqrt(m.n)), label: label(m) }))
}

// telemetry says in a sentence what arrives.
export function telemetry(exporters) {
  if (exporters.length === 0) return 'No exporter has sent anything yet.'
  const here = exporters.filter((e) => e.status !== 'gone')
  const records = exporters.reduce((sum, e) => sum + e.records_per_second, 0)
  const of = (status) => exporters.filter((e) => e.status === status).length
  const bad = [of('silent') && `${of('silent')} silent`, of('problem') && `${of('problem')} with a problem`].filter(Boolean)
  return `${plural(here.length, 'exporter')}, ${rate(records)} flow records a second` + (bad.length ? `; ${bad.join(', ')}.` : '; all well.')
}

// nothing says why a list without filters is empty, and what to check.
export function nothing(answer) {
  if (answer && answer.exporters.length > 0) {
    return [h('h2', {}, 'Nothing unusual has been seen yet'),
      h('p', {}, telemetry(answer.exporters)),
      h('p', {}, 'Alerts show here the moment they are raised. ', h('a', { href: '#/exporters' }, 'See what each exporter sends'), '.')]
  }
  return [h('h2', {}, 'Nothing has been seen yet'), h('p', {}, 'No exporter has sent anything.'),
    h('div', { class: 'more' }, setUp(answer?.collector ?? []))]
}

// setUp tells how to make the first flows arrive.
export function setUp(collector) {
  return h('ol', { class: 'setup' },
    h('li', {}, 'Point the NetFlow, IPFIX or sFlow export of your routers at ', addresses(collector), '.'),
    h('li', {}, 'Let UDP pass from the routers to this machine.'),
    h('li', {}, 'NetFlow v9 and IPFIX show once the router has sent its templates: set their refresh to a minute.'),
    h('li', {}, 'Ask ', h('code', {}, 'tapwatch doctor'), ' what arrives and what is wrong with it.'))
}

function addresses(collector) {
  if (collector.length === 0) return 'this machine, at the addresses of collector.listen'
  return collector.map((a, i) => [i > 0 && (i === collector.length - 1 ? ' or ' : ', '), address(a)])
}

function address(at) {
  const any = /^(?:\[::\]|0\.0\.0\.0):(\d+)$/.exec(at)
  return any ? ['UDP port ', h('code', {}, any[1]), ' of this machine'] : ['UDP ', h('code', {}, at)]
}
