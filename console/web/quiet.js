// The silences and approvals, and what ends them.

import { send } from './api.js'
import { h } from './dom.js'
import { utc } from './format.js'
import { protocolName } from './names.js'

// quietView shows both lists; changed is called after one was ended.
export function quietView(silences, approvals, changed) {
  return h('div', { class: 'quiet' },
    h('h1', {}, 'Silences and approvals'),
    h('p', { class: 'summary' }, 'Silences keep alerts out of sight; approvals are allow rules made from alerts. Both end by themselves. To make one, open an alert.'),
    table('Silences', ['Alerts with', 'Why', 'Owner', 'Made', 'Ends'], silences, (s) => [about(s), s.reason], 'silences', changed, 'No alert was silenced in the last year.'),
    table('Approvals', ['Allowed', 'Why', 'Owner', 'Made', 'Ends'], approvals, (a) => [allowed(a), `${a.reason} (${a.ticket})`], 'approvals', changed, 'Nothing was approved in the last year.'),
    approvals.some((a) => a.in_force) && h('p', {}, h('a', { href: '/api/v1/approvals.yaml' }, 'The approvals in force as rules'), ' to review and paste into the inventory file.'))
}

function table(title, heads, all, cells, path, changed, none) {
  const failed = h('p', { class: 'error', role: 'alert', hidden: true })
  const end = (x) => h('button', {
    class: 'button', type: 'button', 'aria-label': `End ${x.id}`,
    async onclick(event) {
      event.target.disabled = true
      try {
        await send('DELETE', `${path}/${encodeURIComponent(x.id)}`)
        changed()
      } catch (error) {
        failed.textContent = error.message
        failed.hidden = event.target.disabled = false
      }
    },
  }, 'End now')
  const row = (x) => h('tbody', { 'data-id': x.id, class: x.in_force ? 'ok' : 'over' }, h('tr', {},
    h('td', {}, h('span', { class: `status ${x.in_force ? 'ok' : 'gone'}` }, x.in_force ? 'in force' : 'over')),
    cells(x).map((c) => h('td', { class: 'wrap' }, c)), h('td', {}, x.owner), h('td', {}, utc(x.created_at)),
    h('td', {}, x.ended_at ? `ended ${utc(x.ended_at)}` : utc(x.expires_at)), h('td', {}, x.in_force && end(x))))
  return [h('h2', {}, title), failed, all.length === 0 ? h('p', { class: 'dim' }, none)
    : h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ['State', ...heads, ''].map((t) => h('th', { scope: 'col' }, t)))), all.map(row)))]
}

const about = (s) => [s.asset && `asset ${s.asset}`, s.peer && `peer ${s.peer}`, s.port && `port ${s.port}`, s.detector && `detector ${s.detector}`, s.rule && `rule ${s.rule}`]
  .filter(Boolean).join(', ')

const allowed = (a) => `${a.client_asset || a.client} ${a.either_initiates ? 'and' : 'to'} ${a.server_asset || a.server}, ${protocolName(a.protocol)}${a.port ? ` ${a.port}` : ''}`
