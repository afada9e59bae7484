import 'uplot/dist/uPlot.min.css';
import './style.css';
import {Component, type ComponentChildren, render} from 'preact';
import {useEffect} from 'preact/hooks';
import {useCell} from './cell';
import {startLive} from './live';
import {CostsPage} from './pages/costs';
import {DecisionPage} from './pages/decision';
import {DecisionsPage} from './pages/decisions';
import {JobPage} from './pages/job';
import {JobsPage} from './pages/jobs';
import {OverviewPage} from './pages/overview';
import {PolicyPage} from './pages/policy';
import {PoolPage} from './pages/pool';
import {PoolsPage} from './pages/pools';
import {SubmitPage} from './pages/submit';
import {WhatIfPage} from './pages/whatif';
import {readBackstop} from './pools_order';
import {href, place} from './router';
import {Help, KeyDialog, listenToKeys, PAGES, Top} from './shell';
import {Empty, Trouble} from './ui';

function Page() {
  const {page, id} = useCell(place);
  switch (page) {
    case 'overview': return <OverviewPage />;
    case 'jobs': return id === 'new' ? <SubmitPage /> : id ? <JobPage id={id} key={id} /> : <JobsPage />;
    case 'decisions': return id ? <DecisionPage id={id} key={id} /> : <DecisionsPage />;
    case 'pools': return id ? <PoolPage name={id} key={id} /> : <PoolsPage />;
    case 'costs': return <CostsPage />;
    case 'whatif': return <WhatIfPage />;
    case 'policy': return <PolicyPage />;
    default: return <Empty title="There is no such page"><p><a href={href('overview')}>Overview</a> is where all begins.</p></Empty>;
  }
}

/** A fault of one page leaves the others reachable. */
class Guard extends Component<{children: ComponentChildren}, {error?: Error}> {
  static getDerivedStateFromError(error: Error) { return {error}; }
  render() {
    if (!this.state.error) return this.props.children;
    return <Trouble error={this.state.error} what="This page has a fault, which is ours:" />;
  }
}

function App() {
  const at = useCell(place);
  useEffect(() => {
    const words = PAGES.find(([page]) => page === at.page)?.[1] ?? 'Spillway';
    document.title = at.id ? `${at.id} · ${words} · Spillway` : `${words} · Spillway`;
    scrollTo(0, 0);
  }, [at.page, at.id]);
  return (
    <>
      <Top />
      <main id="main" tabIndex={-1} class={`page-${at.page}`}><Guard key={at.page === 'whatif' ? at.page : `${at.page}/${at.id}`}><Page /></Guard></main>
      <KeyDialog />
      <Help />
    </>
  );
}

document.getElementById('app')!.textContent = '';
render(<App />, document.getElementById('app')!);
startLive();
readBackstop();
listenToKeys();
