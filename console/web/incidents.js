// The list of incidents, and one incident in full.

import { byId, h } from './dom.js'
import { ago, countryName, plural, utc } from './format.js'

// shown is how many incidents the list shows.
const shown = 50

const risk = (incident) => h('span', { class: 'risk', title: 'risk, 0 to 100: grows with the variety of tactics' }, `risk ${Math.round(incident.risk)}`)

// Incidents is the list: those of several alerts, for one of a single alert says no more
// than the alert does. Open ones come first, the riskiest on top.
export class Incidents {
  #list = byId('incidents')
  current = ''

  show(all) {
    const several = all.filter((i) => i.alert_ids.length > 1)
    const open = several.filter((i) => i.status === 'open').sort((a, b) => b.risk - a.risk)
    const quiet = several.filter((i) => i.status !== 'open')
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.id : ''
    this.#list.replaceChildren(...[...open, ...quiet].slice(0, shown).map((i) => h('li', {}, this.#row(i))))
    byId('incidents-title').hidden = byId('list-title').hidden = several.length === 0
    if (focused) this.#list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }

  #row(i) {
    return h('a', {
      class: `row ${i.severity}`, href: `#/incidents/${encodeURIComponent(i.id)}`, 'data-id': i.id,
      'aria-current': i.id === this.current ? 'true' : null,
    },
    h('span', { class: `severity ${i.severity}` }, i.severity), risk(i),
    h('time', { datetime: i.last_seen, 'data-age': i.last_seen, title: 'last seen' }, ago(i.last_seen)),
    h('span', { class: 'title' }, i.title),
    h('span', { class: 'parties' }, h('b', {}, some(i.assets)), i.peers.length > 0 && [h('span', { class: 'with' }, 'with'), some(i.peers)]),
    h('span', { class: 'count' }, plural(i.alert_ids.length, 'alert')),
    h('span', { class: 'tactics' }, i.timeline.map((s) => s.tactic).filter(Boolean).join(' → '), i.status === 'quiet' && ' (quiet)'))
  }

  // select marks the row of the incident that is shown in full.
  select(id) {
    this.current = id
    for (const row of this.#list.querySelectorAll('.row')) {
      if (row.dataset.id === id) row.setAttribute('aria-current', 'true')
      else row.removeAttribute('aria-current')
    }
  }
}

const some = (names) => (names.length > 2 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', '))

const states = {
  open: 'open: what comes next about these assets and peers joins it',
  quiet: 'quiet: nothing new for so long that what comes next is another incident',
}

// incidentView is the answer of /api/v1/incidents/{id}.
export function incidentView(i) {
  const alerts = new Map(i.alerts.map((a) => [a.id, a]))
  return h('article', { class: `alert incident ${i.severity}`, 'data-id': i.id, 'aria-labelledby': 'alert-title' },
    h('header', {},
      h('p', { class: 'above' }, h('span', { class: `severity ${i.severity}` }, i.severity), risk(i), h('span', { title: states[i.status] }, `incident, ${i.status}`),
        h('span', { class: 'links' }, h('a', { href: `/api/v1/incidents/${encodeURIComponent(i.id)}` }, 'JSON'),
          h('a', { href: `#/incidents/${encodeURIComponent(i.id)}` }, 'Permalink'), h('a', { class: 'close', href: '#/', title: 'Esc' }, 'Close'))),
      h('h1', { id: 'alert-title' }, i.title),
      h('p', { class: 'summary' }, inWords(i))),
    h('div', { class: 'columns' },
      h('div', {}, h('section', {}, h('h2', {}, 'What happened, by tactic'), timeline(i, alerts))),
      h('div', {}, about(i))),
    h('section', { class: 'query' }, h('h2', {}, 'Its alerts, the worst first'), h('ol', { class: 'folds' }, i.folds.map((f) => fold(f, alerts))),
      i.alerts_left_out > 0 && h('p', { class: 'dim' }, `${plural(i.alerts_left_out, 'more alert')} not shown.`)))
}

function inWords(i) {
  const tactics = i.timeline.filter((s) => s.tactic).length
  return `${plural(i.alert_ids.length, 'alert')} of ${plural(i.detectors.length, 'detector')} (${i.detectors.join(', ')})` +
    ` show ${plural(tactics, 'tactic')} of ATT&CK between ${utc(i.first_seen)} and ${utc(i.last_seen)}.` +
    (tactics > 2 ? ' So many steps are rarely an accident: read them in order.' : '')
}

function timeline(i, alerts) {
  return h('ol', { class: 'timeline' }, i.timeline.map((s) => h('li', {},
    h('p', {}, h('strong', {}, s.tactic || 'No tactic named'), ' ', s.techniques.map((t) => [h('code', {}, t), ' '])),
    h('p', { class: 'dim' }, h('time', { datetime: s.first_seen }, utc(s.first_seen)),
      s.last_seen !== s.first_seen && [' to ', h('time', { datetime: s.last_seen }, utc(s.last_seen))]),
    h('ul', {}, s.alerts.slice(0, 5).map((id) => h('li', {}, link(alerts.get(id), id))),
      s.alerts.length > 5 && h('li', { class: 'dim' }, `and ${s.alerts.length - 5} more`)))))
}

const link = (alert, id) => h('a', { href: `#/alerts/${encodeURIComponent(id)}` }, alert?.title ?? id)

function about(i) {
  const list = (title, names) => names.length > 0 && h('section', {}, h('h2', {}, title),
    h('ul', {}, names.slice(0, 20).map((n) => h('li', {}, n)), names.length > 20 && h('li', { class: 'dim' }, `and ${names.length - 20} more`)))
  return [list('Assets', i.assets), list('Peers', i.peers), list('Countries of the peers', i.countries.map((c) => `${countryName(c)} (${c})`)),
    list('Grew together with', i.absorbed)]
}

// fold is one row for all alerts about the same asset, peer and port.
function fold(f, alerts) {
  const lead = alerts.get(f.lead)
  return h('li', { class: lead?.severity },
    h('span', { class: `severity ${lead?.severity}` }, lead?.severity ?? ''), ' ', link(lead, f.lead), marks(lead),
    lead && h('span', { class: 'dim' }, ` ${lead.detector} / ${lead.rule}`),
    f.also.length > 0 && h('details', {}, h('summary', {}, `also seen by: ${alsoSeen(f.also.map((id) => alerts.get(id)))}`),
      h('ul', {}, f.also.map((id) => h('li', {}, link(alerts.get(id), id), marks(alerts.get(id)))))))
}

// alsoSeen names who else saw the same, each once.
export const alsoSeen = (alerts) => [...new Set(alerts.filter(Boolean).map((a) => `${a.detector} / ${a.rule}`))].join(', ')

// marks say what people decided about an alert.
export function marks(alert) {
  return [alert?.silenced_by?.length > 0 && h('span', { class: 'mark' }, 'silenced'), alert?.approval && h('span', { class: 'mark' }, 'approved')]
}
