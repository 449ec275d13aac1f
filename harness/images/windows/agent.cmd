@echo off
rem agent.cmd NAME PORT: serve a port for as long as Windows runs. The end of the agent is told on the console.
call "%~dp0settings.cmd"
"%~dp0%AGENT%" --port %2
>%CONSOLE% echo %SAY%agent ended: %1, status %errorlevel%
