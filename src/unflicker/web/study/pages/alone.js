// The study without a server: questions come from sheets, answers stay in this browser until they
// are saved as a file, or sent to an address. `server.js` has the same with a server.

const STUDY = window.STUDY; // from questions.js
const PLACE = `study_${STUDY.name}`;

let kept = read();
let sent = false;

function read() {
  try {
    return JSON.parse(localStorage.getItem(PLACE));
  } catch {
    return null; // a browser that keeps nothing for pages: then it is kept until the page is closed
  }
}

function keep(next) {
  kept = next;
  try {
    if (next) localStorage.setItem(PLACE, JSON.stringify(next));
    else localStorage.removeItem(PLACE);
  } catch { /* as in read */ }
}

function random(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))];
}

/** The sheet that the address names, as in index.html?sheet=7; else one by chance. */
function chosenSheet() {
  const count = STUDY.sheets.length;
  const named = Number(new URLSearchParams(location.search).get("sheet"));
  if (Number.isInteger(named) && named >= 1 && named <= count) return named - 1;
  return Math.floor((random(4).reduce((sum, byte) => 256 * sum + byte, 0) / 2 ** 32) * count);
}

function begun(consent) {
  return {
    study: STUDY.name,
    person: random(16).map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    sheet: chosenSheet(),
    consent,
    begun: new Date().toISOString(),
    answers: [],
  };
}

function state() {
  const questions = kept ? STUDY.sheets[kept.sheet] : [];
  const place = kept ? kept.answers.length : 0;
  return {
    begun: Boolean(kept),
    place,
    total: questions.length || STUDY.sheets[0].length,
    done: Boolean(kept) && place === questions.length,
    shown_input: STUDY.shown_input,
    question: questions[place] ?? null,
    next: questions[place + 1] ?? null,
  };
}

const ANSWERS = {
  "/api/state": state,
  "/api/consent": () => STUDY.consent,
  "/api/begin": ({ consent }) => {
    if (!kept) keep(begun(consent));
    return state();
  },
  "/api/answer": ({ place, choice, seconds }) => {
    const { answers } = kept;
    if (place === answers.length) {
      keep({ ...kept, answers: [...answers, { choice, seconds, answered: new Date().toISOString() }] });
    }
    return state();
  },
  "/api/undo": ({ place }) => {
    if (place === kept.answers.length) keep({ ...kept, answers: kept.answers.slice(0, -1) });
    return state();
  },
  "/api/withdraw": () => {
    const { length } = kept.answers;
    if (sent) send({ ...kept, answers: [], withdrawn: true }).catch(() => {});
    keep(null);
    return { deleted: length, ...state() };
  },
};

/** What a server would answer to a request. */
export async function ask(path, body) {
  kept = read() ?? kept; // another tab may have gone on
  return ANSWERS[path](body);
}

async function send(content) {
  // Text is sent without asking first, so any address that stores what it gets will do.
  const how = { method: "POST", headers: { "Content-Type": "text/plain" }, body: JSON.stringify(content) };
  const answer = await fetch(STUDY.post, how);
  if (!answer.ok) throw new Error(`The address answered ${answer.status}.`);
}

function saveFile() {
  const file = new Blob([JSON.stringify(kept)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `answers-${kept.person.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Called at the last page: answers are sent, or can be saved. */
export async function finished() {
  const what = document.getElementById("take-what");
  const whom = STUDY.consent.contact ? ` to ${STUDY.consent.contact}` : " to whoever invited you";
  document.getElementById("take").hidden = false;
  document.getElementById("take-file").onclick = saveFile;
  what.textContent = `Your answers are in this browser only. Please save them, and send the file${whom}.`;
  if (!STUDY.post) return;
  try {
    await send(kept);
    sent = true;
    what.textContent = "Your answers were sent. You may save a copy.";
  } catch {
    what.textContent = `Your answers could not be sent. Please save them, and send the file${whom}.`;
  }
}
