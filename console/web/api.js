// Asks the HTTP API.

// get gives the answer to a path below /api/v1/, or throws an Error whose message
// a person can act on and whose status is the HTTP code, 0 without an answer.
export async function get(path, parameters = {}, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== '' && v !== undefined))
  let response
  try {
    response = await fetch(`/api/v1/${path}${query.size ? `?${query}` : ''}`, { signal, headers: { Accept: 'application/json' } })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw Object.assign(new Error('tapwatch does not answer. Is it running?'), { status: 0 })
  }
  if (response.ok) return response.json()
  const problem = await response.json().catch(() => ({}))
  const words = [problem.title ?? `tapwatch answered ${response.status}`, problem.detail, problem.remedy]
  throw Object.assign(new Error(words.filter(Boolean).map((w) => w.replace(/\.?$/, '.')).join(' ')), { status: response.status })
}
