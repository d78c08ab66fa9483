// What the page asks of the study's server; `alone.js` has the same without one.

/** The answer of the server to a request. */
export async function ask(path, body) {
  const how = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, how);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  // Another tab was faster: go on with what the server has.
  if (answer.status === 409) return ask("/api/state");
  if (!answer.ok) throw new Error(`The server could not answer (${answer.status}).`);
  return answer.json();
}

/** Called at the last page: the server has all answers. */
export function finished() {}
