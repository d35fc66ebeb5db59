// One alert in full.

import { h } from './dom.js'
import { ago, bytes, count, countryName, measure, plural, rarity, utc } from './format.js'
import { alsoSeen, marks } from './incidents.js'
import { worldMap } from './map.js'
import { protocolName, serviceName } from './names.js'

// detail shows an alert. related are the alerts of its incident about the same asset, peer
// and port, as far as they are known; act is the element with what can be done about it.
export function detail(alert, related, act) {
  return h('article', { class: `alert ${alert.severity}`, 'data-id': alert.id, 'aria-labelledby': 'alert-title' },
    heading(alert, related),
    who(alert),
    h('div', { class: 'columns' },
      h('div', {}, why(alert), measures(alert), next(alert), evidence(alert)),
      h('div', {}, where(alert), what(alert), techniques(alert))),
    query(alert), act)
}

function heading(alert, related) {
  return h('header', {},
    h('p', { class: 'above' },
      h('span', { class: `severity ${alert.severity}` }, alert.severity),
      h('span', {}, `${alert.detector} / ${alert.rule}`), marks(alert),
      h('span', { class: 'links' }, h('a', { href: `/api/v1/alerts/${encodeURIComponent(alert.id)}` }, 'JSON'),
        h('a', { href: `#/alerts/${encodeURIComponent(alert.id)}` }, 'Permalink'),
        h('a', { class: 'close', href: '#/', title: 'Esc' }, 'Close'))),
    h('h1', { id: 'alert-title' }, alert.title),
    h('p', { class: 'summary' }, alert.summary),
    context(alert, related))
}

// context says what the alert belongs to.
function context(alert, related) {
  const seen = alsoSeen(related)
  if (!alert.incident && !seen) return null
  return h('p', { class: 'context' },
    alert.incident && h('a', { href: `#/incidents/${encodeURIComponent(alert.incident)}` }, 'The incident that it is part of'),
    seen && h('span', {}, `also seen by: ${seen}`))
}

// who draws the two ends and what passed between them.
function who(alert) {
  const asset = party('Asset', alert.asset)
  if (!alert.peer.addr) return h('section', { class: 'who alone', 'aria-label': 'Who' }, asset)
  const service = [protocolName(alert.protocol), alert.port || ''].filter(Boolean).join(' ')
  const opened = { peer: 'opened by the peer', asset: 'opened by the asset' }[alert.initiator] ?? 'who opened it is not known'
  return h('section', { class: 'who', 'aria-label': 'Who' },
    party('Peer', alert.peer),
    h('div', { class: `between ${alert.initiator || 'either'}` },
      h('strong', {}, service), serviceName(alert.port) && h('span', {}, serviceName(alert.port)),
      arrow(alert.initiator),
      h('span', {}, opened),
      alert.flows > 0 && h('span', { class: 'volumes', title: 'bytes to the asset, and from it' },
        h('span', {}, `→ ${bytes(alert.bytes_to_asset)}`), h('span', {}, `← ${bytes(alert.bytes_to_peer)}`))),
    asset)
}

function arrow(initiator) {
  const heads = [initiator !== 'asset' && 'M112 3l8 7-8 7', initiator !== 'peer' && 'M8 3l-8 7 8 7']
  return h('svg', { class: 'arrow', viewBox: '-4 0 128 20', 'aria-hidden': 'true' },
    h('path', { d: `M0 10H120${heads.filter(Boolean).join('')}` }))
}

function party(kind, p) {
  const place = [p.country && `${countryName(p.country)} (${p.country})`].filter(Boolean).join(', ')
  const network = [p.asn ? `AS${p.asn}` : '', p.as_org].filter(Boolean).join(' ')
  return h('div', { class: `party ${kind.toLowerCase()}` },
    h('span', { class: 'kind' }, kind),
    h('strong', {}, p.asset || p.addr || 'unknown'),
    p.asset && p.addr && h('span', { class: 'addr' }, p.addr),
    p.role && h('span', {}, `role ${p.role}`),
    p.zone ? h('span', {}, `zone ${p.zone}`, p.zone_kind && ` (${p.zone_kind})`) : p.addr && h('span', {}, 'outside all zones'),
    network && h('span', {}, network),
    place && h('span', {}, place))
}

const section = (title, ...children) => h('section', {}, h('h2', {}, title), children)

function why(alert) {
  if (alert.reasons.length === 0) return null
  return section('Why this is unusual', h('ul', { class: 'reasons' }, alert.reasons.map((r) => h('li', {}, r))))
}

// measures are the numbers behind the reasons.
function measures(alert) {
  if (!alert.measures?.length) return null
  return section('In numbers', h('div', { class: 'numbers' }, h('table', {},
    h('thead', {}, h('tr', {}, ['Measured', 'Observed', 'Expected', 'How rare'].map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, alert.measures.map((m) => h('tr', {}, h('th', { scope: 'row' }, m.name), h('td', {}, h('b', {}, measure(m.observed, m.unit))),
      h('td', {}, measure(m.expected, m.unit)), h('td', {}, rarity(m.rarity))))))))
}

// urgency is how soon somebody must act, by severity: see docs/alerts.md.
const urgency = {
  critical: 'Now, at any hour. Use the phone: mail and chat may be read.',
  high: 'In this shift; by night once the critical alerts are clear.',
  medium: 'This working day.',
  low: 'For information: nothing is urgent.',
}

function next(alert) {
  if (alert.next_steps.length === 0) return null
  return section('What to do next', h('p', { class: 'urgency' }, urgency[alert.severity]), h('ol', { class: 'steps' }, alert.next_steps.map((s) => h('li', {}, s))))
}

function evidence(alert) {
  if (alert.quality.length + alert.exporters.length === 0 && !alert.confidence) return null
  return section('Evidence',
    alert.confidence > 0 && h('p', { title: 'that what the title says took place; not that it is an intrusion' }, `Confidence ${Math.round(100 * alert.confidence)} % that this took place.`),
    alert.quality.length > 0
      ? h('ul', { class: 'quality' }, alert.quality.map((q) => h('li', {}, q)))
      : h('p', {}, 'Nothing is noted against it as to sampling and directions. What was lost on the way is under Exporters.'),
    alert.exporters.length > 0 && h('p', {}, `Seen by ${alert.exporters.join(', ')}.`))
}

function where(alert) {
  const { country } = alert.peer
  if (!country) return null
  return section('Where', worldMap([{ country, severity: alert.severity, size: 4, label: countryName(country) }], { home: alert.asset.country, near: true }))
}

function what(alert) {
  const facts = []
  const fact = (name, value, title) => facts.push(h('dt', {}, name), h('dd', { title }, value))
  const time = (name, at) => fact(name, [h('time', { datetime: at }, utc(at)), ' ', h('span', { class: 'age', 'data-age': at }, ago(at))])
  if (alert.flows > 0) {
    fact('Flows', count(alert.flows))
    fact('To the asset', bytes(alert.bytes_to_asset), `${count(alert.bytes_to_asset)} bytes`)
    fact('From the asset', bytes(alert.bytes_to_peer), `${count(alert.bytes_to_peer)} bytes`)
    fact('Packets', count(alert.packets))
  }
  time('First seen', alert.first_seen)
  time('Last seen', alert.last_seen)
  time('Raised', alert.raised_at)
  fact('Seen in', plural(alert.findings, 'window'))
  return section('What', h('dl', { class: 'facts' }, facts))
}

function techniques(alert) {
  if (alert.techniques.length === 0) return null
  return section('ATT&CK', h('ul', { class: 'techniques' }, alert.techniques.map((t) =>
    h('li', {}, h('code', {}, t.id), ` ${t.name}`, t.tactic && h('span', { class: 'dim' }, ` ${t.tactic}`),
      t.matrix && h('span', { class: 'dim' }, ` (${t.matrix})`)))))
}

function query(alert) {
  if (!alert.sql) return null
  const code = h('code', {}, alert.sql)
  const button = h('button', { class: 'button copy', type: 'button', onclick: () => copy(code, button) }, 'Copy SQL')
  return h('section', { class: 'query' },
    h('h2', {}, 'Its flows in SQL', button),
    h('p', { class: 'dim' }, 'Runs as it is in ', h('code', {}, 'tapwatch sql'), ', Grafana or any ClickHouse client.'),
    h('pre', { tabindex: '0' }, code))
}

// copy uses the clipboard where the browser allows it, else it selects the text, so
// that Ctrl-C does the rest.
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent)
    button.textContent = 'Copied'
  } catch {
    getSelection().selectAllChildren(code)
    button.textContent = 'Selected: press Ctrl-C'
  }
  setTimeout(() => { button.textContent = 'Copy SQL' }, 2000)
}
