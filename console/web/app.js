// Ties the page together: what is shown, the filters, the stream, the keyboard.

import { actions } from './act.js'
import { get } from './api.js'
import { detail } from './detail.js'
import { byId, h, showTimes } from './dom.js'
import { exportersView, troubled } from './exporters.js'
import { ago, plural, utc } from './format.js'
import { Incidents, incidentView } from './incidents.js'
import { List } from './list.js'
import { Live } from './live.js'
import { nothing, overview } from './overview.js'
import { quietView } from './quiet.js'

const list = new List()
const incidents = new Incidents()
const live = new Live(changed, connection)
const filters = { severity: byId('severity'), q: byId('search') }

let open = '' // the id of the alert that is shown in full
let story = '' // the id of the incident that is shown in full
let act = null // { id, element }: the forms of that alert, which outlive its changes
let shown = null // that alert
let exporters = null // the latest answer of /api/v1/exporters
let older = '' // the cursor of the next page
let loading = null // aborts the listing under way
let unseen = 0 // alerts that came while nobody looked
let silenced = '' // 'include' while silenced alerts are shown too
let telling = 0 // the timer that asks for incidents after an alert

const parameters = () => ({ severity: filters.severity.value, q: filters.q.value.trim(), silenced })
const filtered = () => Boolean(filters.severity.value || filters.q.value.trim())
const present = (all) => Object.fromEntries(Object.entries(all).filter(([, v]) => v))

// load shows the alerts that the filters select and follows the stream from there.
async function load() {
  loading?.abort()
  const { signal } = loading = new AbortController()
  const wanted = present(parameters())
  try {
    const answer = await get('alerts', { ...wanted, limit: 100 }, signal)
    list.replace(answer.alerts)
    older = answer.next
    complain('')
    sayBudget(answer.budget)
    saySilenced(answer.silenced)
    live.follow(wanted, answer.last_version)
    loadIncidents()
  } catch (error) {
    if (error.name === 'AbortError') return
    complain(error.message)
    connection('reconnecting')
    setTimeout(() => { if (!signal.aborted) load() }, 3000)
    return
  }
  arrange()
  if (!open && !story) showDetail()
}

async function loadOlder() {
  try {
    const answer = await get('alerts', { ...present(parameters()), limit: 100, cursor: older })
    list.append(answer.alerts)
    older = answer.next
    arrange()
  } catch (error) {
    complain(error.message)
  }
}

// loadIncidents shows the incidents and folds the alerts that belong together.
async function loadIncidents() {
  clearTimeout(telling)
  telling = setTimeout(loadIncidents, 15_000)
  const { severity, q } = parameters()
  try {
    const answer = await get('incidents', { severity, silenced, limit: 200 })
    incidents.show(q ? [] : answer.incidents)
    list.fold(new Map(answer.incidents.toReversed().flatMap((i) => i.folds.flatMap((f) => [f.lead, ...f.also].map((id) => [id, f.lead])))))
    const now = answer.incidents.find((i) => i.id === story)
    if (story && now?.version !== shownStory?.version) showStory()
  } catch {
    // The list complains of the same; the next try is soon.
  }
}

function sayBudget(budget) {
  byId('budget').textContent = budget?.exceeded ? budget.text : ''
  byId('budget').hidden = !budget?.exceeded
}

// saySilenced says how many alerts are out of sight, and lets them be seen.
function saySilenced(n) {
  const toggle = (text, to) => h('button', { class: 'button', type: 'button', onclick: () => { silenced = to; load() } }, text)
  byId('silenced').hidden = !silenced && !n
  byId('silenced').replaceChildren(...(silenced
    ? ['Silenced alerts are shown too. ', toggle('Hide them', '')]
    : [`${plural(n, 'alert')} ${n === 1 ? 'is' : 'are'} silenced. `, toggle('Show', 'include')]))
}

// changed takes an alert from the stream.
function changed(alert) {
  const isNew = list.change(alert)
  if (isNew) {
    byId('announce').textContent = `New ${alert.severity} alert: ${alert.title}`
    if (document.hidden) document.title = `(${++unseen} new) tapwatch`
  }
  arrange()
  // Its incident is made a moment after the alert.
  clearTimeout(telling)
  telling = setTimeout(loadIncidents, 2500)
  if (alert.id === open) {
    shown = { incident: shown?.incident, related: shown?.related, ...alert }
    renderAlert()
  } else if (!open && !story) {
    showDetail()
  }
}

// renderAlert shows the alert in full, with the forms as a person has filled them in.
function renderAlert() {
  if (act?.id !== shown.id) act = { id: shown.id, element: actions(shown, decided) }
  render(() => detail(shown, (shown.related ?? []).map((id) => relatives.get(id) ?? list.get(id)), act.element))
  for (const id of shown.related ?? []) {
    if (!relatives.has(id) && !list.has(id)) meet(id)
  }
}

// relatives are alerts that the list does not hold.
const relatives = new Map()

async function meet(id) {
  relatives.set(id, null)
  try {
    relatives.set(id, await get(`alerts/${encodeURIComponent(id)}`))
    if (shown?.related?.includes(id) && open === shown.id) renderAlert()
  } catch {
    relatives.delete(id)
  }
}

// decided comes after an alert was silenced or approved: the list is another, and the
// alert says so.
async function decided() {
  load()
  const id = open
  const now = await get(`alerts/${encodeURIComponent(id)}`).catch(() => null)
  if (!now || open !== id) return
  shown = now
  renderAlert()
}

function complain(message) {
  byId('list-error').textContent = message
  byId('list-error').hidden = !message
}

function connection(state) {
  const element = byId('connection')
  if (element.dataset.state === state) return
  element.dataset.state = state
  element.textContent = state
}

// arrange shows what belongs below the list.
function arrange() {
  byId('older').hidden = !older
  const empty = byId('list-empty')
  empty.hidden = list.size > 0
  if (list.size > 0) return
  empty.replaceChildren(...(filtered()
    ? [h('h2', {}, 'No alert matches'), h('button', { class: 'button', type: 'button', onclick: clearFilters }, 'Show all alerts')]
    : nothing(exporters)))
}

function clearFilters() {
  filters.severity.value = ''
  filters.q.value = ''
  load()
}

// render swaps the right side for what make makes, or for that node. It keeps the scroll
// position if it is the same alert, and the focus if it is on something that stays.
function render(make) {
  const pane = byId('detail')
  const focused = pane.contains(document.activeElement) ? document.activeElement : null
  const selection = focused?.matches('input:not([type=checkbox])') ? [focused.selectionStart, focused.selectionEnd] : null
  const content = typeof make === 'function' ? make() : make
  const same = content.dataset.id && pane.firstChild?.dataset?.id === content.dataset.id
  const at = same ? pane.scrollTop : 0
  pane.replaceChildren(content)
  pane.scrollTop = at
  if (!focused?.isConnected) return
  focused.focus({ preventScroll: true })
  if (selection) focused.setSelectionRange(...selection)
}

async function showDetail() {
  list.select(open)
  incidents.select(story)
  document.body.classList.toggle('opened', open + story !== '')
  if (story) return
  if (!open) {
    render(filtered() || list.size > 0 || exporters?.exporters.length
      ? overview(list.alerts, exporters) : h('div', { class: 'empty wide' }, nothing(exporters)))
    return
  }
  const id = open
  shown = list.get(id) ?? (shown?.id === id ? shown : null)
  if (shown) {
    renderAlert()
    return
  }
  render(h('p', { class: 'empty' }, 'Loading …'))
  try {
    shown = await get(`alerts/${encodeURIComponent(id)}`)
    if (open === id) renderAlert()
  } catch (error) {
    if (open === id) render(h('div', { class: 'empty wide' }, h('h1', {}, 'This alert cannot be shown'), h('p', {}, error.message)))
  }
}

let shownStory = null // the answer that is shown

async function showStory() {
  const id = story
  if (shownStory?.id !== id) render(h('p', { class: 'empty' }, 'Loading …'))
  try {
    const answer = await get(`incidents/${encodeURIComponent(id)}`)
    if (story !== id) return
    shownStory = answer
    story = answer.id // it may have become a part of another one
    incidents.select(story)
    render(incidentView(answer))
  } catch (error) {
    if (story === id) render(h('div', { class: 'empty wide' }, h('h1', {}, 'This incident cannot be shown'), h('p', {}, error.message)))
  }
}

async function loadQuiet() {
  const view = byId('view-quiet')
  try {
    const [s, a] = await Promise.all([get('silences'), get('approvals')])
    if (!view.hidden) view.replaceChildren(quietView(s.silences, a.approvals, () => { loadQuiet(); load() }))
  } catch (error) {
    if (!view.hidden) view.replaceChildren(h('p', { class: 'error', role: 'alert' }, error.message))
  }
}

async function loadExporters() {
  const view = byId('view-exporters')
  try {
    exporters = await get('exporters')
  } catch (error) {
    if (!view.hidden) view.replaceChildren(h('p', { class: 'error', role: 'alert' }, error.message))
    return
  }
  const badge = byId('exporters-badge')
  badge.textContent = troubled(exporters.exporters)
  badge.hidden = !badge.textContent
  if (!view.hidden) view.replaceChildren(exportersView(exporters))
  arrange()
  if (!open && !story) showDetail()
}

// route shows what the address names: #/, #/alerts/ID, #/incidents/ID, #/quiet, #/exporters.
function route() {
  const path = location.hash.slice(2).split('/')
  const view = ['quiet', 'exporters'].includes(path[0]) ? path[0] : 'alerts'
  for (const name of ['alerts', 'quiet', 'exporters']) {
    byId(`view-${name}`).hidden = name !== view
    byId(`tab-${name}`).ariaCurrent = name === view ? 'page' : null
  }
  if (view === 'quiet') {
    loadQuiet()
    return
  }
  if (view === 'exporters') {
    if (exporters) byId('view-exporters').replaceChildren(exportersView(exporters))
    loadExporters()
    return
  }
  open = path[0] === 'alerts' && path[1] ? decodeURIComponent(path[1]) : ''
  story = path[0] === 'incidents' && path[1] ? decodeURIComponent(path[1]) : ''
  if (!story) shownStory = null
  showDetail()
  if (story) showStory()
}

function onKey(event) {
  const typing = event.target.matches('input, select, textarea')
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') {
    if (typing) {
      event.target.blur()
    } else if (open || story) {
      location.hash = '#/'
    }
    list.focus()
  } else if (typing || byId('view-alerts').hidden) {
    return
  } else if (event.key === '/') {
    filters.q.focus()
    filters.q.select()
  } else if (event.key === 'j' || event.key === 'k') {
    const address = list.move(event.key === 'j' ? 1 : -1)
    if ((open || story) && address) location.replace(address)
  } else {
    return
  }
  event.preventDefault()
}

function tick() {
  byId('clock').textContent = utc(Date.now())
  showTimes(document, ago)
}

function start() {
  let typing = 0
  filters.severity.addEventListener('change', load)
  filters.q.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(load, 250)
  })
  byId('filters').addEventListener('submit', (event) => {
    event.preventDefault()
    load()
  })
  byId('older').addEventListener('click', loadOlder)
  addEventListener('hashchange', route)
  addEventListener('keydown', onKey)
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    unseen = 0
    document.title = 'tapwatch'
  })
  setInterval(tick, 1000)
  setInterval(loadExporters, 10_000)
  tick()
  load()
  loadExporters()
  route()
}

start()
