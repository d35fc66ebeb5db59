// Asks the HTTP API.

// get gives the answer to a path below /api/v1/, or throws an Error whose message
// a person can act on, whose status is the HTTP code, 0 without an answer, and whose
// parameter is the field at fault, if any.
export function get(path, parameters = {}, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== '' && v !== undefined))
  return ask(`${path}${query.size ? `?${query}` : ''}`, { signal })
}

// send makes a change: method is POST, with an object, or DELETE. It throws as get does.
export function send(method, path, body) {
  return ask(path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })
}

async function ask(path, options) {
  let response
  try {
    response = await fetch(`/api/v1/${path}`, { ...options, headers: { Accept: 'application/json', ...options.headers } })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw Object.assign(new Error('tapwatch does not answer. Is it running?'), { status: 0 })
  }
  if (response.ok) return response.json()
  const problem = await response.json().catch(() => ({}))
  const words = [problem.title ?? `tapwatch answered ${response.status}`, problem.detail, problem.remedy]
  const message = words.filter(Boolean).map((w) => w.replace(/\.?$/, '.')).join(' ')
  throw Object.assign(new Error(message), { status: response.status, parameter: problem.parameter ?? '' })
}
